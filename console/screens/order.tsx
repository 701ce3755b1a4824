import { ask, useAnswer } from "../client.ts";
import { count, day, dollars, moment, money, tail, words } from "../format.ts";
import { cellHref, goldKeys, readCatalog, shortPizza, showKey } from "../gold.ts";
import { Empty, Failure, Glyph, Loading, Section, Verdict, type Mood } from "../parts.tsx";
import { Bytes } from "./evidence.tsx";

type Trace = Awaited<ReturnType<typeof read>>["traces"][number];
type Event = Trace["events"][number];

async function read(orderId: string) {
  const [traces, catalog] = await Promise.all([ask("trace", { orderId }), readCatalog()]);
  return { traces, catalog };
}

/** An order through every layer. */
export function OrderScreen({ params }: { params: URLSearchParams }) {
  const id = params.get("id") ?? "";
  const { result, error, again } = useAnswer(id, () => read(id));
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading rows={10} />;
  if (result.traces.length === 0)
    return (
      <Empty title={`No order has the id ${id}`}>
        <p>Neither silver nor the quarantine has it, and no event in bronze contains it.</p>
      </Empty>
    );
  return (
    <>
      {result.traces.map((trace) => (
        <Order key={`${trace.storeId} ${trace.orderDate}`} trace={trace} catalog={result.catalog} />
      ))}
    </>
  );
}

function Order({ trace, catalog }: { trace: Trace; catalog: Awaited<ReturnType<typeof readCatalog>> }) {
  const { silver, events, gold } = trace;
  const store = catalog.stores.get(trace.storeId ?? "");
  const place = `${store?.city ?? trace.storeId ?? "an unreadable store"}, ${trace.orderDate === null ? "day unreadable" : day(trace.orderDate)}`;
  const cents = silver?.lines.reduce((sum, { revenueCents }) => sum + revenueCents, 0) ?? 0;
  return (
    <>
      <Verdict title={sentence(trace)}>
        {place}
        {silver !== null && (
          <>
            {" · "}
            {dollars(cents)} · ordered at{" "}
            {store && `${localTime(silver.orderedAt, store.time_zone)} on the store's clock, `}
            {moment(Date.parse(silver.orderedAt))}
          </>
        )}
      </Verdict>
      <div class="split two-a">
        <div>
          {silver !== null && (
            <Section title="In silver" note={`revision ${silver.revision}, ${silver.status}`}>
              <table class="t">
                <thead>
                  <tr>
                    <th scope="col" class="n">
                      Line
                    </th>
                    <th scope="col">Pizza</th>
                    <th scope="col" class="n">
                      Quantity
                    </th>
                    <th scope="col" class="n">
                      US dollars
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {silver.lines.map((line) => {
                    const pizza = catalog.pizzas.get(line.pizzaId);
                    return (
                      <tr key={line.lineNo}>
                        <td class="n dim">{line.lineNo}</td>
                        <td>{pizza === undefined ? line.pizzaId : `${shortPizza(pizza.name)}, ${pizza.size}`}</td>
                        <td class="n">{count(line.quantity)}</td>
                        <td class="n">{money(line.revenueCents)}</td>
                      </tr>
                    );
                  })}
                </tbody>
                <tfoot>
                  <tr class="sumrow">
                    <td colSpan={3}>The order</td>
                    <td class="n">{money(cents)}</td>
                  </tr>
                </tfoot>
              </table>
            </Section>
          )}
          <Section title="In gold" note={gold.length === 0 ? "it counts in no row" : "the rows that it counts in"}>
            <table class="t">
              <thead>
                <tr>
                  <th scope="col">Table</th>
                  <th scope="col">Row</th>
                  <th scope="col" class="n">
                    Revenue, US dollars
                  </th>
                </tr>
              </thead>
              <tbody>
                {gold.map((row) => {
                  const table = row.table.replace("gold.", "");
                  const key = row.key.split(", ");
                  const column = table === "customer_segments" ? "monetary" : "revenue";
                  const shown = key.map((part, index) => showKey(goldKeys[table]?.[index] ?? "", part)).join(", ");
                  return (
                    <tr key={row.table + row.key}>
                      <td class="wrap">{words(table)}</td>
                      <td class="mid wrap">{table === "customer_segments" ? tail(shown, 10) : shown}</td>
                      <td class="n">
                        <a class="door" href={cellHref(table, key, column)}>
                          {row.revenue.replace(/\B(?=(\d{3})+\.)/g, ",")}
                        </a>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </Section>
        </div>
        <Section title="Events" note="in the order in which they came">
          <ol class="chain">
            {events.map((event) => (
              <EventItem key={`${event.sequenceNumber} ${event.recordIndex}`} event={event} />
            ))}
          </ol>
        </Section>
      </div>
    </>
  );
}

function sentence({ silver, gold, events }: Trace): string {
  if (events.some(({ outcome }) => outcome === "lost")) return "An event of this order is lost";
  if (silver === null)
    return events.some(({ outcome }) => outcome === "quarantined")
      ? "This order is in quarantine, and in no sum"
      : "This order is not in silver yet";
  if (gold.length === 0) return `This order is ${silver.status}, and counts as no sale`;
  return "This order is in the numbers, once";
}

function localTime(moment_: string, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" }).format(new Date(moment_));
}

const moods: Record<Event["outcome"], Mood> = {
  accepted: "ok",
  "event duplicate": "idle",
  superseded: "idle",
  quarantined: "warn",
  pending: "idle",
  lost: "bad",
};

function EventItem({ event }: { event: Event }) {
  const { shard, sequenceNumber, recordIndex, bronzeKeys } = event;
  return (
    <>
      <li>
        <span class="node">
          <Glyph mood={event.refused?.isClosed === true ? "idle" : moods[event.outcome]} />
        </span>
        <h3>{words(event.outcome)}</h3>
        <dl class="kv">
          <dt>Arrived</dt>
          <dd>{moment(Date.parse(event.arrivedAt))}</dd>
          <dt>Position</dt>
          <dd>
            shard {Number(shard.replace(/\D/g, ""))}, record{" "}
            <span class="mono" title={sequenceNumber}>
              {tail(sequenceNumber)}
            </span>
            , event {recordIndex}
          </dd>
          <dt>Revision</dt>
          <dd>
            {event.revision ?? "unreadable"}, {event.status ?? "status unreadable"}
          </dd>
          {event.refused !== null && (
            <>
              <dt>Rejected</dt>
              <dd>{event.refused.detail.startsWith("customer") ? event.refused.reason : event.refused.detail}</dd>
            </>
          )}
          {event.corrects !== null && (
            <>
              <dt>Corrects</dt>
              <dd class="mono">{event.corrects}</dd>
            </>
          )}
          {event.silverVersion !== null && (
            <>
              <dt>Silver</dt>
              <dd>
                version {event.silverVersion}
                {event.committedAt !== null && `, ${moment(Date.parse(event.committedAt))}`}
              </dd>
            </>
          )}
        </dl>
      </li>
      {bronzeKeys[0] !== undefined && (
        <Bytes place={{ bronzeKey: bronzeKeys[0], shard, sequenceNumber, recordIndex }} />
      )}
    </>
  );
}
