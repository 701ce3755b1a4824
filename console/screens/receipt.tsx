import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Finding, Receipt, Sales } from "../../pipeline/domain/receipt.ts";
import { ask, poll, type Feed } from "../client.ts";
import { age, clock, count, counted, duration, money, moment } from "../format.ts";
import { Coin, Empty, Failure, Glyph, Loading, Verdict, type Mood } from "../parts.tsx";

/** The reconciliation as a ledger: what came, what became of it, and what each layer holds. */
export function ReceiptScreen({ feed }: { feed: Feed }) {
  const [error, setError] = useState<Error>();
  if (feed.live === undefined) return <Loading rows={12} />;
  const { newest, runningSince } = feed.live.receipt;
  const work = () => {
    setError(undefined);
    ask("verify", {})
      .catch(setError)
      .finally(() => void poll());
    setTimeout(() => void poll(), 100);
  };
  const button = (
    <button class="btn primary" type="button" disabled={runningSince !== undefined} onClick={work}>
      {runningSince === undefined ? (newest === undefined ? "Work out the receipt" : "Work out again") : "Working…"}
    </button>
  );
  const failure = error !== undefined && <Failure error={error} again={work} />;
  if (newest === undefined)
    return (
      <>
        <Verdict
          title={runningSince === undefined ? "Not checked yet" : "Every record is being checked"}
          actions={button}
        >
          {runningSince === undefined
            ? "No receipt since the pipeline was started."
            : `Reading every layer, since ${age(Date.parse(runningSince))}.`}
        </Verdict>
        {failure}
        <Empty title="A receipt accounts for every record">
          <p>It reads the bytes of every layer and compares them. No counter is asked. Other work waits meanwhile.</p>
        </Empty>
      </>
    );
  const { receipt, checkedAt, milliseconds } = newest;
  const since = (feed.live.status.stream.records ?? 0) - receipt.records.sent;
  return (
    <>
      <Verdict
        title={verdict(receipt)}
        actions={
          <>
            <Download receipt={receipt} checkedAt={checkedAt} />
            {button}
          </>
        }
      >
        Worked out from the bytes of every layer at {moment(Date.parse(checkedAt))}, in {duration(milliseconds)}. No
        counter was asked.
        {since > 0 && <> Not in it: {counted(since, "record")} that came since.</>}
      </Verdict>
      {failure}
      <Ledger receipt={receipt} checkedAt={Date.parse(checkedAt)} />
      <Findings
        title="Findings"
        mood="bad"
        findings={receipt.findings}
        none="Nothing is missing, nothing is counted twice. A finding names what and where: a record, an order, a file, a cell of gold."
      />
      {receipt.notes.length > 0 && <Findings title="Notes" mood="idle" findings={receipt.notes} none="" />}
    </>
  );
}

function verdict({ findings, records, events, unpublishedDays }: Receipt): string {
  if (findings.length > 0) return `Does not balance: ${counted(findings.length, "finding")}`;
  if (records.waiting + events.pending > 0 || unpublishedDays.length > 0)
    return "Balanced; some records are not in gold yet";
  return "Balanced, to the cent";
}

function Download({ receipt, checkedAt }: { receipt: Receipt; checkedAt: string }) {
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" }));
    link.download = `receipt-${checkedAt.slice(0, 19).replaceAll(":", "")}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <button class="btn" type="button" onClick={save}>
      Download
    </button>
  );
}

interface Proof {
  mood: Mood;
  text: string;
  sum?: string;
}

interface Row {
  label: ComponentChildren;
  kind?: "part" | "in" | "in2" | "sum" | "total" | "lay";
  cells?: (number | undefined)[];
  /** US cents */
  cents?: number;
  mark?: "q";
  proof?: Proof;
}

function Ledger({ receipt, checkedAt }: { receipt: Receipt; checkedAt: number }) {
  const rows = ledgerRows(receipt, checkedAt);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Ledger">
      <table class="ledger">
        <caption class="hidden">
          The receipt: records, events, lines, pizzas and US dollars, with a proof for each row
        </caption>
        <thead>
          <tr>
            <th scope="col">Receipt</th>
            {["Records", "Events", "Lines", "Pizzas", "US dollars"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th class="proof" scope="col">
              Proof
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <LedgerRow key={index} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function LedgerRow({ row: { label, kind = "in", cells = [], cents, mark, proof } }: { row: Row }) {
  const shown = [0, 1, 2, 3].map((index) => cells[index]);
  return (
    <tr class={kind === "total" ? "total lay" : kind}>
      <td>{label}</td>
      {shown.map((value, index) => (
        <td key={index} class={value === 0 ? "nil" : mark}>
          {value === undefined ? "" : count(value)}
        </td>
      ))}
      <td>{cents === undefined ? "" : money(cents)}</td>
      <td class="proof">
        {proof !== undefined && (
          <span class="pf">
            <Glyph mood={proof.mood} size={12} />
            <span>{proof.text}</span>
            {proof.sum !== undefined && <b>{proof.sum}</b>}
          </span>
        )}
      </td>
    </tr>
  );
}

function ledgerRows(receipt: Receipt, checkedAt: number): Row[] {
  const { records, events, expected, silver, gold, notSales, producers, unpublishedDays } = receipt;
  const quarantined = Object.entries(events.quarantined).toSorted(([, a], [, b]) => b - a);
  const rejected = quarantined.reduce((sum, [, value]) => sum + value, 0);
  const holds = (isTrue: boolean, text: string, sum?: string): Proof => ({
    mood: isTrue ? "ok" : "bad",
    text,
    ...(sum !== undefined && { sum }),
  });
  const waiting = (value: number, text: string): Proof => ({ mood: value === 0 ? "ok" : "warn", text });
  const fates = events.accepted + events.eventDuplicates + events.supersededRevisions + rejected + events.pending;
  return [
    { label: "What came", kind: "part" },
    { label: "Sent to the stream", cells: [records.sent] },
    {
      label: "Landed in bronze",
      cells: [records.landed],
      proof: holds(
        records.sent === records.distinct + records.onFailure + records.waiting + records.setAside,
        "each record sent is accounted for",
        `${count(records.distinct)} of ${count(records.sent)}`,
      ),
    },
    {
      label: "In the on-failure store",
      kind: "in2",
      cells: [records.onFailure],
      proof: waiting(records.onFailure, "kept, not in bronze"),
    },
    {
      label: "Not landed yet",
      kind: "in2",
      cells: [records.waiting],
      proof: waiting(records.waiting, "after the checkpoint"),
    },
    {
      label: "In objects that are set aside",
      kind: "in2",
      cells: [records.setAside],
      proof: waiting(records.setAside, "no run reads them"),
    },
    {
      label: "Delivered twice by the stream",
      cells: [records.transportDuplicates],
      proof: holds(
        records.landed === records.distinct + records.transportDuplicates,
        "bronze = distinct + delivered twice",
        `${count(records.landed)} = ${count(records.distinct)} + ${count(records.transportDuplicates)}`,
      ),
    },
    {
      label: "Distinct",
      kind: "sum",
      cells: [records.distinct, events.distinct],
      proof: holds(
        !receipt.findings.some(({ invariant }) => invariant === "no gap in a till's numbers"),
        "no till skipped a number",
        counted(producers, "till"),
      ),
    },
    { label: "What became of it", kind: "part" },
    { label: "Accepted", cells: [undefined, events.accepted] },
    { label: "Sent twice by a till", cells: [undefined, events.eventDuplicates] },
    { label: "Replaced by a later revision", cells: [undefined, events.supersededRevisions] },
    {
      label:
        rejected > 0 ? (
          <a class="door" href="/console/quarantine">
            Rejected, in quarantine
          </a>
        ) : (
          "Rejected, in quarantine"
        ),
      cells: [undefined, rejected],
      ...(rejected > 0 && { mark: "q" as const }),
      proof:
        rejected > events.closed
          ? { mood: "warn", text: "waits for you, and is in no sum below", sum: `${count(events.closed)} resolved` }
          : { mood: "ok", text: rejected === 0 ? "nothing was rejected" : "all resolved by a later event" },
    },
    ...quarantined.map(([reason, value]): Row => ({
      label: reason.replaceAll("_", " "),
      kind: "in2",
      cells: [undefined, value],
    })),
    {
      label: "Not refined yet",
      cells: [undefined, events.pending],
      proof: holds(
        fates === events.distinct,
        "one fate each",
        `${count(events.distinct)} = ${[events.accepted, events.eventDuplicates, events.supersededRevisions, rejected, events.pending].map(count).join(" + ")}`,
      ),
    },
    { label: "Cancelled or refunded: no sale", cells: [undefined, notSales === 0 ? 0 : -notSales] },
    { label: `What each layer holds, ${clock(checkedAt)}`, kind: "part" },
    layer("bronze", "Bronze says", expected, { mood: "ok", text: "worked out from the bytes of the events" }),
    layer("silver", "Silver holds", silver, holds(isSame(silver, expected), "= bronze; no line stands twice")),
    {
      ...layer(
        "gold",
        "Gold shows",
        gold,
        holds(
          isSame(gold, silver) || unpublishedDays.length > 0,
          unpublishedDays.length > 0
            ? `${counted(unpublishedDays.length, "day")} not published yet`
            : "= silver, to the cent",
          "10 tables",
        ),
      ),
      kind: "total",
    },
  ];
}

function layer(metal: "bronze" | "silver" | "gold", label: string, sales: Sales, proof: Proof): Row {
  return {
    kind: "lay",
    label: (
      <>
        <Coin metal={metal} />
        {label}
      </>
    ),
    cells: [undefined, sales.orders, sales.lines, sales.pizzas],
    cents: sales.cents,
    proof,
  };
}

function isSame(a: Sales, b: Sales): boolean {
  return a.orders === b.orders && a.lines === b.lines && a.pizzas === b.pizzas && a.cents === b.cents;
}

function Findings({
  title,
  mood,
  findings,
  none,
}: {
  title: string;
  mood: Mood;
  findings: readonly Finding[];
  none: string;
}) {
  return (
    <section class="findings" aria-label={title}>
      <div class="sec-head">
        <h2>{title}</h2>
      </div>
      <ul class="proofs">
        {findings.length === 0 && (
          <li>
            <Glyph mood="ok" />
            <div>
              <b>None.</b> {none}
            </div>
          </li>
        )}
        {findings.map(({ invariant, sentence, examples }) => (
          <li key={sentence}>
            <Glyph mood={mood} />
            <div>
              <b>{sentence}</b> <span class="dim">{invariant}</span>
              <ul class="examples">
                {examples.map((example) => (
                  <li key={example} class="mono">
                    <Example text={example} />
                  </li>
                ))}
              </ul>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** An example of a finding; an order in it leads to its trace. */
function Example({ text }: { text: string }) {
  const order = /^(?:order )?([A-Za-z0-9.-]+-\d[\w.-]*) of /.exec(text)?.[1] ?? /\border (\S+)/.exec(text)?.[1];
  return order === undefined ? (
    <>{text}</>
  ) : (
    <a class="door" href={`/console/order?id=${encodeURIComponent(order)}`}>
      {text}
    </a>
  );
}
