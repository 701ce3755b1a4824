import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import {
  drillNames,
  drills,
  type DrillName,
  type DrillReport,
  type DrillRow,
} from "../../targets/local/drill-kinds.ts";
import { askConfirmed, poll, type Feed, type Live } from "../client.ts";
import { count, counted, duration, money } from "../format.ts";
import { Coin, Confirmed, Empty, Glyph, Icon, Loading, Section, Verdict } from "../parts.tsx";

const titles: Record<DrillName, string> = {
  burst: "A burst",
  duplicates: "Everything twice",
  late: "Late orders",
  cancelled: "Cancelled orders",
  rejected: "A pizza nobody knows",
  landing: "Landing fails",
  postgres: "PostgreSQL is killed",
};

interface Running {
  drill: DrillName;
  before: Live;
  startedAt: number;
}

/** Exercises on the running pipeline: what is sent and broken, what each layer does, and how the receipt takes it. */
export function DrillsScreen({ feed }: { feed: Feed }) {
  const [running, setRunning] = useState<Running>();
  const [report, setReport] = useState<DrillReport>();
  if (feed.live === undefined) return <Loading rows={12} />;
  const { live } = feed;
  const run = async (drill: DrillName) => {
    setReport(undefined);
    setRunning({ drill, before: live, startedAt: Date.now() });
    try {
      setReport(await askConfirmed("drill", { drill }));
    } finally {
      setRunning(undefined);
      void poll();
    }
  };
  return (
    <>
      <Verdict title="Break it, and watch the receipt">
        A drill sends simulated orders through this pipeline, and breaks something on their way. The orders stay in its
        numbers, and their tills are new. Then two receipts are compared with what the tills know.
      </Verdict>
      <div class="drill-grid">
        <ul class="exercises">
          {drillNames.map((name) => (
            <li key={name} class={running?.drill === name || report?.drill === name ? "picked" : ""}>
              <div>
                <h2>{titles[name]}</h2>
                <p class="mid">{sentence(drills[name].does)}</p>
              </div>
              <Confirmed
                label="Start"
                question={`Send ${count(drills[name].orders)} orders`}
                disabled={running !== undefined}
                act={() => run(name)}
              />
            </li>
          ))}
        </ul>
        <div aria-live="polite">
          {running !== undefined && <Progress running={running} live={live} />}
          {report !== undefined && <Report report={report} />}
          {running === undefined && report === undefined && (
            <Empty title="No drill yet">
              <p>Start one. It takes from a few seconds to half a minute, most of it for the two receipts.</p>
            </Empty>
          )}
        </div>
      </div>
    </>
  );
}

/** What has come into each layer since the drill began. */
function Progress({ running: { drill, before, startedAt }, live }: { running: Running; live: Live }) {
  const records = (live.status.stream.records ?? 0) - (before.status.stream.records ?? 0);
  const landings = (live.status.landing.invocations ?? 0) - (before.status.landing.invocations ?? 0);
  const failures = (live.status.landing.errors ?? 0) - (before.status.landing.errors ?? 0);
  const versions = live.status.silver.version - before.status.silver.version;
  const orders = live.totals.orders - before.totals.orders;
  const steps: [icon: ComponentChildren, name: string, did: string, isDone: boolean][] = [
    [<Icon name="receipt" />, "Receipt", "as it is before the drill", records > 0],
    [<Icon name="stream" />, "Stream", `${counted(records, "record")} kept`, records > 0],
    [
      <Coin metal="bronze" />,
      "Bronze",
      `${counted(landings, "landing")}${failures > 0 ? `, and ${count(failures)} failed` : ""}`,
      landings > failures && live.status.stream.shardsBehind === 0,
    ],
    [<Coin metal="silver" />, "Silver", counted(versions, "new version"), versions > 0],
    [<Coin metal="gold" />, "Gold", counted(orders, "new order"), orders > 0],
    [<Icon name="receipt" />, "Receipt", "as it is once everything is in gold", false],
  ];
  const at = steps.findIndex(([, , , isDone]) => !isDone);
  return (
    <Section title={titles[drill]} note={`a drill, for ${duration(Date.now() - startedAt)}`}>
      <ol class="drill-steps">
        {steps.map(([icon, name, did, isDone], index) => (
          <li key={index}>
            <Glyph mood={isDone ? "ok" : index === at ? "run" : "idle"} />
            {icon}
            <span class="strong-m">{name}</span>
            <span class="mid">{did}</span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Report({ report }: { report: DrillReport }) {
  const { drill, broke, rows, otherEvents, seconds, receipt, isKept } = report;
  return (
    <Section
      title={titles[drill]}
      note={`a drill: all sent after ${seconds.sent.toFixed(1)} s, all in gold after ${seconds.inGold.toFixed(1)} s`}
    >
      <div class="alert">
        <Glyph mood={isKept ? "ok" : "bad"} />
        <div>
          <span class="strong-m">
            {isKept ? "Every event is counted once, to the cent" : "The receipt is not what the tills promised"}
          </span>
          <p>
            {sentence(broke ?? drills[drill].does)}
            {otherEvents > 0 && <> Other tills sent {counted(otherEvents, "event")} meanwhile.</>}
            {!isKept && receipt.findings[0] !== undefined && <> {receipt.findings[0].sentence}.</>}
          </p>
        </div>
        <a class="link" href={drill === "rejected" ? "/console/quarantine" : "/console/receipt"}>
          {drill === "rejected" ? "Repair them" : "The receipt"}
        </a>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="The receipt before and after">
        <table class="t">
          <thead>
            <tr>
              <th scope="col">Receipt</th>
              {["Before", "After", "Change", "Promised"].map((name) => (
                <th key={name} scope="col" class={name === "Before" ? "n hide-n" : "n"}>
                  {name}
                </th>
              ))}
              <th scope="col">
                <span class="hidden">Kept</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Row({ row: { name, unit, before, after, promised } }: { row: DrillRow }) {
  const show = unit === "cents" ? money : count;
  const isKept = after - before === promised;
  return (
    <tr>
      <td>{capital(name)}</td>
      <td class="n dim hide-n">{show(before)}</td>
      <td class="n">{show(after)}</td>
      <td class="n strong-m">{show(after - before)}</td>
      <td class="n dim">{show(promised)}</td>
      <td>
        <Glyph mood={isKept ? "ok" : "bad"} size={12} />
        <span class="hidden">{isKept ? "as promised" : "differs"}</span>
      </td>
    </tr>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
  return `${capital(text)}.`;
}
