import { useEffect, useState } from "preact/hooks";
import { ask, askConfirmed, poll, useAnswer } from "../client.ts";
import { clock, count, counted, day, dollars, moment, money, tail, words } from "../format.ts";
import { readCatalog, shortPizza } from "../gold.ts";
import { Confirmed, Copy, Empty, Failure, Glyph, Loading, Section, State } from "../parts.tsx";
import { addressWith } from "../route.ts";

type Rejected = Awaited<ReturnType<typeof read>>["events"][number];
type Catalog = Awaited<ReturnType<typeof readCatalog>>;
type Corrected = Awaited<ReturnType<typeof preview>>[number];

async function read() {
  const [events, catalog] = await Promise.all([ask("quarantined", {}), readCatalog()]);
  return { events, catalog };
}

async function preview(ids: readonly string[], edits: readonly string[]) {
  return await ask("previewResend", { ids: [...ids], edits: [...edits] });
}

/** Rejected events by reason and amount: look at one, correct it, see what would happen, send it again. */
export function QuarantineScreen({ params }: { params: URLSearchParams }) {
  const { result, error, again } = useAnswer("quarantined", read);
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading rows={12} />;
  const { events, catalog } = result;
  const isClosed = params.get("state") === "closed";
  const shown = events.filter((event) => event.isClosed === isClosed);
  const open = events.filter((event) => !event.isClosed);
  const chosen = shown.find(({ id }) => id === params.get("event")) ?? byReason(shown)[0]?.events[0];
  return (
    <div class="bench">
      <section aria-label="Rejected events">
        <div class="bar">
          <span class="seg" role="group" aria-label="State">
            <a href="/console/quarantine" aria-current={isClosed ? undefined : "true"}>
              Open {count(open.length)}
            </a>
            <a href="/console/quarantine?state=closed" aria-current={isClosed ? "true" : undefined}>
              Resolved {count(events.length - open.length)}
            </a>
          </span>
          <span class="gap dim">{dollars(amount(shown))}</span>
        </div>
        {shown.length === 0 ? (
          <Empty title={isClosed ? "No event is resolved" : "No event waits for you"}>
            <p>
              {isClosed
                ? "A rejected event is resolved once silver accepts its order."
                : "Every event that came was accepted, or is resolved."}
            </p>
          </Empty>
        ) : (
          byReason(shown).map(({ reason, events: some }) => (
            <Reason key={reason} reason={reason} events={some} catalog={catalog} params={params} chosen={chosen} />
          ))
        )}
      </section>
      {chosen !== undefined && (
        <Workbench key={chosen.id} event={chosen} events={open} catalog={catalog} again={again} params={params} />
      )}
    </div>
  );
}

function byReason(events: readonly Rejected[]) {
  const groups = Map.groupBy(events, ({ reason }) => reason);
  return [...groups]
    .map(([reason, some]) => ({ reason, events: some }))
    .toSorted((a, b) => amount(b.events) - amount(a.events) || b.events.length - a.events.length);
}

function amount(events: readonly Rejected[]): number {
  return events.reduce((sum, { cents }) => sum + (cents ?? 0), 0);
}

const firstOfReason = 4;

function Reason({
  reason,
  events,
  catalog,
  params,
  chosen,
}: {
  reason: string;
  events: readonly Rejected[];
  catalog: Catalog;
  params: URLSearchParams;
  chosen: Rejected | undefined;
}) {
  const [hasAll, setAll] = useState(events.indexOf(chosen!) >= firstOfReason);
  const isReadable = events.some(({ cents }) => cents !== null);
  return (
    <>
      <div class="reason">
        <h3>{words(reason)}</h3>
        <span class="n">
          {count(events.length)} · {isReadable ? money(amount(events)) : "unreadable"}
        </span>
      </div>
      {(hasAll ? events : events.slice(0, firstOfReason)).map((event) => (
        <a
          key={event.id}
          class="qitem"
          href={addressWith(params, { event: event.id })}
          aria-current={event === chosen ? "true" : undefined}
        >
          <span class="cut">
            {placeOf(event, catalog)} <span class="dim">{event.orderId === null ? "" : tail(event.orderId, 6)}</span>
          </span>
          <span class="n">{event.cents === null ? <span class="dim">—</span> : money(event.cents)}</span>
          <span class="sub cut">{shortDetail(event)}</span>
          <span class="sub n">{clock(Date.parse(event.arrivedAt)).slice(0, 8)}</span>
        </a>
      ))}
      {events.length > firstOfReason && !hasAll && (
        <button class="btn quiet more" type="button" onClick={() => setAll(true)}>
          {count(events.length - firstOfReason)} more
        </button>
      )}
    </>
  );
}

function placeOf({ storeId }: Rejected, catalog: Catalog): string {
  return catalog.stores.get(storeId ?? "")?.city ?? storeId ?? "Till unknown";
}

/** The field and its value, without the reason; never a value of the customer. */
function shortDetail({ detail }: Rejected): string {
  return detail.startsWith("customer") ? detail.split(/[ :]/)[0]! : detail.split(": ")[0]!.replace(/^order \S+ /, "");
}

/** The path of the field that was rejected. */
function problemPath({ detail, reason }: Rejected): string {
  if (reason === "conflicting_payload") return "revision";
  if (reason === "ordered_at_changed") return "ordered_at";
  return (/^[\w.[\]*]+/.exec(detail)?.[0] ?? "").replace(/^event\.?/, "");
}

interface Edit {
  path: string;
  value: string;
}

/** A first edit that mends the reason for certain, or names the field to mend. */
function firstEdits(event: Rejected): Edit[] {
  const path = problemPath(event);
  switch (event.reason) {
    case "unknown_key":
      return [{ path, value: "@remove" }];
    case "price_off_menu":
    case "money_precision":
    case "money_out_of_range":
      return [{ path: path.endsWith("unit_price") ? path : "lines[*].unit_price", value: "@menu" }];
    case "conflicting_payload":
      return [{ path: "revision", value: "@next" }];
    case "future_time":
      return [{ path: "ordered_at", value: "@arrival" }];
    default:
      return [{ path, value: "" }];
  }
}

function Workbench({
  event,
  events,
  catalog,
  again,
  params,
}: {
  event: Rejected;
  events: readonly Rejected[];
  catalog: Catalog;
  again: () => void;
  params: URLSearchParams;
}) {
  const [edits, setEdits] = useState<Edit[]>(() => firstEdits(event));
  const [sent, setSent] = useState<Corrected[]>();
  const texts = edits
    .filter(({ path, value }) => path !== "" && value !== "")
    .map(({ path, value }) => `${path}=${value}`);
  const settled = useSettled(texts.join("\n"), 300);
  const dryRun = useAnswer(`${event.id} ${settled}`, async () =>
    event.isClosed ? [] : await preview([event.id], settled === "" ? [] : settled.split("\n")),
  );
  const outcome = dryRun.result?.[0];
  const isCurrent = settled === texts.join("\n") && !dryRun.isAsking;
  const alike = events.filter(({ reason, id }) => reason === event.reason && id !== event.id);
  const send = async (ids: string[]) => {
    setSent(await askConfirmed("resend", { ids, edits: texts }));
    await askConfirmed("drain", {});
    again();
    void poll();
  };
  return (
    <>
      <section aria-label="Event">
        <div class="bar">
          <h2 class="h-lead">
            {placeOf(event, catalog)} <span class="dim">{event.orderId === null ? "" : tail(event.orderId, 6)}</span>
          </h2>
          <State mood={event.isClosed ? "ok" : "warn"}>{event.isClosed ? "resolved" : words(event.reason)}</State>
        </div>
        <dl class="kv q-kv">
          <dt>Arrived</dt>
          <dd>
            {moment(Date.parse(event.arrivedAt))}, shard {Number(event.shard.replace(/\D/g, ""))}, record{" "}
            {tail(event.sequenceNumber)}, event {event.recordIndex}
          </dd>
          <dt>In silver</dt>
          <dd>{event.silverRevision === null ? "no revision of this order" : `revision ${event.silverRevision}`}</dd>
          <dt>Order</dt>
          <dd>
            {event.orderId === null ? (
              "unreadable"
            ) : (
              <a class="door" href={`/console/order?id=${encodeURIComponent(event.orderId)}`}>
                {event.orderId}
              </a>
            )}
          </dd>
        </dl>
        <Payload event={event} changes={outcome?.changes ?? []} />
        <p class="cap">
          Personal values are replaced by x. The rejected event is kept as it came; an edit makes a new one.
        </p>
        {!event.isClosed && <Editor edits={edits} setEdits={setEdits} />}
        {!event.isClosed && (
          <Section title="In the terminal">
            <pre class="hex">{terminal(event.id, texts)}</pre>
            <Copy text={terminal(event.id, texts)} label="Copy the command" />
          </Section>
        )}
      </section>
      <section aria-label="What would happen">
        <div class="bar">
          <h2 class="h-lead">{event.isClosed ? "What happened" : "What would happen"}</h2>
          {!event.isClosed && <span class="gap dim">dry run</span>}
        </div>
        {event.isClosed && (
          <ul class="steps-l">
            <li>
              <Glyph mood="ok" />
              <div>
                Its order was accepted since<p>from an event that was sent again, or came later</p>
              </div>
            </li>
          </ul>
        )}
        {dryRun.error !== undefined && <Failure error={dryRun.error} again={dryRun.again} />}
        {outcome === undefined && dryRun.error === undefined && !event.isClosed && <Loading rows={5} />}
        {outcome !== undefined && <Outcome outcome={outcome} catalog={catalog} />}
        {outcome !== undefined && (
          <div class="sendbar">
            <Confirmed
              primary
              label="Send again"
              question={`Send this event, ${outcome.cents === null ? "amount unreadable" : dollars(outcome.cents)}`}
              disabled={!isCurrent || outcome.problem !== null}
              act={() => send([event.id])}
            />
          </div>
        )}
        {outcome?.problem === null && alike.length > 0 && texts.length > 0 && (
          <Alike alike={[event, ...alike]} edits={texts} send={send} />
        )}
        {sent !== undefined && (
          <p class="what-s" role="status">
            {counted(sent.filter(({ sentAs }) => sentAs !== null).length, "event")} sent.{" "}
            <a class="link" href={addressWith(params, { state: "closed" })}>
              See what is resolved
            </a>
          </p>
        )}
      </section>
    </>
  );
}

function terminal(id: string, edits: readonly string[]): string {
  return ["./pizza quarantine resend", id, ...edits.map((edit) => `'${edit.replaceAll("'", "'\\''")}'`)].join(" ");
}

/** A value once it has not changed for so many milliseconds. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

function Editor({ edits, setEdits }: { edits: Edit[]; setEdits: (edits: Edit[]) => void }) {
  const set = (index: number, change: Partial<Edit>) =>
    setEdits(edits.map((edit, at) => (at === index ? { ...edit, ...change } : edit)));
  return (
    <Section
      title="Edits"
      note="a field and its new value; @menu, @next, @arrival and @remove are named values"
      aside={
        <button class="btn quiet" type="button" onClick={() => setEdits([...edits, { path: "", value: "" }])}>
          Add an edit
        </button>
      }
    >
      {edits.map(({ path, value }, index) => (
        <div key={index} class="edit-row">
          <label>
            Field
            <input
              value={path}
              spellcheck={false}
              placeholder="lines[0].pizza_id"
              onInput={({ currentTarget }) => set(index, { path: currentTarget.value })}
            />
          </label>
          <label>
            New value
            <input
              value={value}
              spellcheck={false}
              placeholder={path === "channel" ? "dine_in, takeaway, delivery or online" : "hawaiian_m"}
              onInput={({ currentTarget }) => set(index, { value: currentTarget.value })}
            />
          </label>
          <button class="btn" type="button" onClick={() => setEdits(edits.filter((_, at) => at !== index))}>
            Remove
          </button>
        </div>
      ))}
    </Section>
  );
}

interface PrintedLine {
  path: string;
  key: string;
  value: string;
  depth: number;
}

/** JSON in lines, each with the path of its field. */
function printed(value: unknown, { path = "", key = "", depth = 0, end = "" } = {}): PrintedLine[] {
  const name = key === "" ? "" : `"${key}": `;
  if (typeof value !== "object" || value === null)
    return [{ path, key: name, value: `${JSON.stringify(value)}${end}`, depth }];
  const isArray = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isArray ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return [{ path, key: name, value: `${open}${close}${end}`, depth }];
  return [
    { path, key: name, value: open, depth },
    ...entries.flatMap(([inner, part], index) =>
      printed(part, {
        path: isArray ? `${path}[${inner}]` : path === "" ? inner : `${path}.${inner}`,
        key: isArray ? "" : inner,
        depth: depth + 1,
        end: index < entries.length - 1 ? "," : "",
      }),
    ),
    { path: "", key: "", value: `${close}${end}`, depth },
  ];
}

function Payload({ event, changes }: { event: Rejected; changes: Corrected["changes"] }) {
  let value: unknown;
  try {
    value = JSON.parse(event.payload);
  } catch {
    return (
      <>
        <p class="bad">{event.detail.startsWith("customer") ? words(event.reason) : event.detail}</p>
        <pre class="json" tabIndex={0} role="region" aria-label="Rejected bytes">
          {event.payload}
        </pre>
      </>
    );
  }
  const problem = problemPath(event);
  const lines = printed(value);
  const changed = new Map(changes.map((change) => [change.path, change]));
  const isMarked = lines.some(({ path }) => path !== "" && path === problem);
  const added = changes.filter(({ path }) => !lines.some((line) => line.path === path));
  const sentence = event.detail.startsWith("customer")
    ? `${problem}: ${words(event.reason)}`
    : event.detail.split("; orders in it")[0]!;
  return (
    <>
      {!isMarked && <p class="bad">{sentence}</p>}
      <div class="code" tabIndex={0} role="region" aria-label="Rejected event as JSON">
        {lines.map((line, index) => {
          const change = line.path === "" ? undefined : changed.get(line.path);
          const isProblem = line.path !== "" && line.path === problem;
          const blank = "  ".repeat(line.depth);
          return (
            <>
              <div key={index} class={`ln ${isProblem || change !== undefined ? "del" : ""}`}>
                <i>{index + 1}</i>
                <span>
                  <span class="k">
                    {blank}
                    {line.key}
                  </span>
                  <span class={isProblem ? "wrong" : line.value.startsWith('"') ? "s" : "v"}>{line.value}</span>
                </span>
                {isProblem && <span class="say">{sentence}</span>}
              </div>
              {change !== undefined && change.after !== undefined && (
                <div key={`${index} new`} class="ln add">
                  <i>{index + 1}</i>
                  <span>
                    <span class="k">
                      {blank}
                      {line.key}
                    </span>
                    <span class="s">{JSON.stringify(change.after)}</span>
                  </span>
                </div>
              )}
            </>
          );
        })}
        {added.map(({ path, after }) => (
          <div key={path} class="ln add">
            <i>+</i>
            <span>
              <span class="k">{path}: </span>
              <span class="s">{JSON.stringify(after)}</span>
            </span>
          </div>
        ))}
      </div>
    </>
  );
}

function Outcome({ outcome, catalog }: { outcome: Corrected; catalog: Catalog }) {
  const { problem, order, cents } = outcome;
  if (problem !== null)
    return (
      <ul class="steps-l">
        <li>
          <Glyph mood="bad" />
          <div>
            Silver would reject it again<p>{problem}</p>
          </div>
        </li>
      </ul>
    );
  if (order === null) return null;
  const isSale = order.status === "placed" || order.status === "amended";
  const city = catalog.stores.get(order.storeId)?.city ?? order.storeId;
  return (
    <>
      <ul class="steps-l">
        <li>
          <Glyph mood="ok" />
          <div>
            Silver would accept it
            <p>
              revision {order.revision}, {order.status}
            </p>
          </div>
        </li>
        <li>
          <Glyph mood="ok" />
          <div>
            It counts on {day(order.orderedAt)}
            <p>
              {city}, {words(order.channel).toLowerCase()}, {order.orderedAt.slice(11, 16)} on the store's clock
            </p>
          </div>
        </li>
        <li>
          <Glyph mood="ok" />
          <div>
            The rejected event is resolved<p>and stays to be seen, with its bytes</p>
          </div>
        </li>
      </ul>
      <div class="sec-head">
        <h2>{isSale ? "Gold would gain" : "It is no sale"}</h2>
      </div>
      <table class="t">
        <tbody>
          {order.lines.map((line, index) => {
            const pizza = catalog.pizzas.get(line.pizzaId);
            return (
              <tr key={index}>
                <td class="wrap">
                  {line.quantity} × {pizza === undefined ? line.pizzaId : `${shortPizza(pizza.name)}, ${pizza.size}`}
                </td>
                <td class="n">{money(Math.round(line.unitPrice * 100) * line.quantity)}</td>
              </tr>
            );
          })}
          <tr class="sumrow">
            <td>1 order</td>
            <td class="n">{cents === null ? "—" : `+${money(cents)}`}</td>
          </tr>
        </tbody>
      </table>
    </>
  );
}

/** The same edits for every event with the same reason. */
function Alike({
  alike,
  edits,
  send,
}: {
  alike: readonly Rejected[];
  edits: readonly string[];
  send: (ids: string[]) => Promise<void>;
}) {
  const [result, setResult] = useState<Corrected[]>();
  const [error, setError] = useState<Error>();
  const look = () => {
    setError(undefined);
    preview(
      alike.map(({ id }) => id),
      edits,
    ).then(setResult, setError);
  };
  const accepted = result?.filter(({ problem, changes }) => problem === null && changes.length > 0) ?? [];
  const cents = accepted.reduce((sum, each) => sum + (each.cents ?? 0), 0);
  return (
    <div class="batchline">
      <div class="strong-m">The same for many</div>
      <p class="mid">{counted(alike.length, "open event")} have this reason.</p>
      {error !== undefined && <Failure error={error} again={look} />}
      {result === undefined ? (
        <button class="btn quiet" type="button" onClick={look}>
          Try these edits on all of them
        </button>
      ) : (
        <>
          <p class="mid">
            Silver would accept {count(accepted.length)} of {count(result.length)}: {dollars(cents)}.
          </p>
          <Confirmed
            label={`Send ${count(accepted.length)} again`}
            question={`Send ${counted(accepted.length, "event")}, ${dollars(cents)}`}
            disabled={accepted.length === 0}
            act={() => send(accepted.map(({ id }) => id))}
          />
        </>
      )}
    </div>
  );
}
