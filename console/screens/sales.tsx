import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { gold, literal, useAnswer } from "../client.ts";
import { DayBars, HeatMap, RankedBars, TileMap, WithTable, type DayValue } from "../charts.tsx";
import {
  addDays,
  centsOf,
  change,
  count,
  counted,
  day,
  daysBetween,
  dollars,
  money,
  month,
  percent,
  weekdays,
  words,
} from "../format.ts";
import { cellHref, readCatalog, shortPizza, sumHref } from "../gold.ts";
import { Empty, Failure, Loading, Section } from "../parts.tsx";
import { addressWith, go } from "../route.ts";

interface Filter {
  from: string;
  to: string;
  store: string;
  channel: string;
}

const channels = ["dine_in", "takeaway", "delivery", "online"];

/** What gold says of sales: every number leads to the rows and order lines that make it. */
export function SalesScreen({ params }: { params: URLSearchParams }) {
  const filter = `${params.get("store") ?? ""} ${params.get("channel") ?? ""}`;
  const days = useAnswer(filter, () => readDays(params.get("store") ?? "", params.get("channel") ?? ""));
  if (days.error !== undefined) return <Failure error={days.error} again={days.again} />;
  if (days.result === undefined) return <Loading rows={12} />;
  const { bounds } = days.result;
  if (bounds === undefined)
    return (
      <Empty title="No sales yet">
        <p>
          Send orders with <code class="mono">./pizza replay classic</code>; they are here seconds later.
        </p>
      </Empty>
    );
  const chosen: Filter = {
    from: params.get("from") ?? bounds.first,
    to: params.get("to") ?? bounds.last,
    store: params.get("store") ?? "",
    channel: params.get("channel") ?? "",
  };
  return <Sales days={days.result} filter={chosen} params={params} />;
}

type Days = Awaited<ReturnType<typeof readDays>>;

interface SalesDay extends DayValue {
  margin: number;
}

/** Every day with its sales, of one store or channel if they are chosen. */
async function readDays(store: string, channel: string) {
  const conditions = [
    ...(store === "" ? [] : [`store_id = ${literal(store)}`]),
    ...(channel === "" ? [] : [`channel = ${literal(channel)}`]),
  ];
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  const [rows, pizzas, [span], catalog] = await Promise.all([
    gold<Record<string, string>>(
      `select order_date::text as date, sum(orders)::text as orders, sum(revenue)::text as revenue,
         sum(margin)::text as margin
       from gold.revenue_analytics ${where} group by order_date order by order_date`,
    ),
    gold<Record<string, string>>(
      "select order_date::text as date, pizzas::text as pizzas from gold.daily_sales_summary order by order_date",
    ),
    gold<{ first: string | null; last: string | null; version: string }>(
      `select min(order_date)::text as first, max(order_date)::text as last, max(silver_version)::text as version
       from gold.daily_sales_summary`,
    ),
    readCatalog(),
  ]);
  const days = rows.map((row): SalesDay => ({
    date: row["date"]!,
    orders: Number(row["orders"]),
    cents: centsOf(row["revenue"]),
    margin: centsOf(row["margin"]),
  }));
  const { first, last, version } = span!;
  return {
    days,
    pizzas: new Map(pizzas.map((row) => [row["date"]!, Number(row["pizzas"])])),
    bounds: first === null || last === null ? undefined : { first, last },
    version,
    catalog,
  };
}

function totalOf(days: readonly SalesDay[], from: string, to: string) {
  const total = { orders: 0, cents: 0, margin: 0, days: 0 };
  for (const each of days) {
    if (each.date < from || each.date > to) continue;
    total.days++;
    total.orders += each.orders;
    total.cents += each.cents;
    total.margin += each.margin;
  }
  return total;
}

function Sales({ days, filter, params }: { days: Days; filter: Filter; params: URLSearchParams }) {
  const { from, to, store, channel } = filter;
  const isAll = store === "" && channel === "";
  return (
    <>
      <Filters days={days} filter={filter} params={params} />
      <Figures days={days} filter={filter} isAll={isAll} />
      <Section
        title="Revenue by day"
        note="US dollars; the line is the mean of seven open days"
        aside={<span class="dim">of silver version {days.version}</span>}
      >
        <WithTable
          label="Revenue by day"
          columns={["Day", "Orders", "US dollars"]}
          rows={() =>
            days.days
              .filter(({ date }) => date >= from && date <= to)
              .map(({ date, orders, cents }) => [
                day(date),
                count(orders),
                <a class="door" href={dayHref(date, filter)}>
                  {money(cents)}
                </a>,
              ])
          }
        >
          <DayBars days={days.days} from={from} to={to} href={(first, last) => daysHref(first, last, filter)} />
        </WithTable>
      </Section>
      <Details days={days} filter={filter} isAll={isAll} />
    </>
  );
}

function daysHref(from: string, to: string, filter: Filter): string {
  if (from === to) return dayHref(from, filter);
  return filter.store === "" && filter.channel === ""
    ? sumHref("daily_sales_summary", "revenue", { from, to })
    : sumHref("revenue_analytics", "revenue", { from, to, store_id: filter.store, channel: filter.channel });
}

/** One day of the filter: a row of gold if there is one, otherwise the rows that add up to it. */
function dayHref(date: string, { store, channel }: Filter): string {
  if (store === "" && channel === "") return cellHref("daily_sales_summary", [date], "revenue");
  if (store !== "" && channel !== "") return cellHref("revenue_analytics", [date, store, channel], "revenue");
  return sumHref("revenue_analytics", "revenue", { from: date, to: date, store_id: store, channel });
}

function Filters({ days, filter, params }: { days: Days; filter: Filter; params: URLSearchParams }) {
  const { first, last } = days.bounds!;
  const set = (changes: Record<string, string>) => go(addressWith(params, changes), { isReplacing: true });
  const spans: [string, string][] = [
    ["All", first],
    ["Year", addDays(last, -364)],
    ["Quarter", addDays(last, -91)],
    ["Month", addDays(last, -30)],
    ["Week", addDays(last, -6)],
  ];
  const isSpan = (from: string) => filter.to === last && filter.from === (from < first ? first : from);
  const current = spans.find(([, from]) => isSpan(from))?.[0];
  return (
    <div class="bar" role="group" aria-label="Filters">
      <label class={`field-box ${filter.store === "" ? "" : "set"}`}>
        <span class="what">Store</span>
        <select value={filter.store} onChange={(event) => set({ store: event.currentTarget.value })}>
          <option value="">All {days.catalog.stores.size}</option>
          {[...days.catalog.stores.values()].map(({ store_id, city }) => (
            <option key={store_id} value={store_id}>
              {city ?? store_id}
            </option>
          ))}
        </select>
      </label>
      <label class={`field-box ${filter.channel === "" ? "" : "set"}`}>
        <span class="what">Channel</span>
        <select value={filter.channel} onChange={(event) => set({ channel: event.currentTarget.value })}>
          <option value="">All</option>
          {channels.map((name) => (
            <option key={name} value={name}>
              {words(name)}
            </option>
          ))}
        </select>
      </label>
      <label class="field-box">
        <span class="what">From</span>
        <input
          type="date"
          value={filter.from}
          min={first}
          max={filter.to}
          onChange={({ currentTarget: { value } }) => value !== "" && value <= filter.to && set({ from: value })}
        />
      </label>
      <label class="field-box">
        <span class="what">To</span>
        <input
          type="date"
          value={filter.to}
          min={filter.from}
          max={last}
          onChange={({ currentTarget: { value } }) => value !== "" && value >= filter.from && set({ to: value })}
        />
      </label>
      <span class="seg" role="group" aria-label="Span">
        {spans.map(([name, from]) => (
          <a
            key={name}
            href={addressWith(params, { from: from <= first ? "" : from, to: "" })}
            aria-current={current === name ? "true" : undefined}
          >
            {name}
          </a>
        ))}
      </span>
    </div>
  );
}

function Figures({ days, filter, isAll }: { days: Days; filter: Filter; isAll: boolean }) {
  const { from, to, store, channel } = filter;
  const length = daysBetween(from, to) + 1;
  const [start, end] = [addDays(from, -length), addDays(from, -1)];
  const now = totalOf(days.days, from, to);
  const before = totalOf(days.days, start, end);
  const hasBefore = before.days > 0 && start >= days.bounds!.first;
  const pizzasOf = (a: string, b: string) =>
    [...days.pizzas].reduce((sum, [date, pizzas]) => (date >= a && date <= b ? sum + pizzas : sum), 0);
  const sum = (column: string) =>
    isAll
      ? sumHref("daily_sales_summary", column, { from, to })
      : sumHref("revenue_analytics", column, { from, to, store_id: store, channel });
  const versus = (a: number, b: number) =>
    hasBefore ? `${change(a, b)} on the ${counted(length, "day")} before` : counted(now.days, "open day");
  const average = now.orders === 0 ? 0 : Math.round(now.cents / now.orders);
  const averageBefore = before.orders === 0 ? 0 : before.cents / before.orders;
  return (
    <dl class="figs">
      <Figure label="Revenue" value={dollars(now.cents)} href={sum("revenue")} note={versus(now.cents, before.cents)} />
      <Figure label="Orders" value={count(now.orders)} href={sum("orders")} note={versus(now.orders, before.orders)} />
      <Figure
        label="Average order"
        value={dollars(average)}
        note={hasBefore ? versus(average, averageBefore) : "revenue / orders"}
      />
      {isAll ? (
        <Figure
          label="Pizzas"
          value={count(pizzasOf(from, to))}
          href={sum("pizzas")}
          note={versus(pizzasOf(from, to), pizzasOf(start, end))}
        />
      ) : (
        <Figure label="Pizzas" value="—" note="gold has no pizzas by store or channel" />
      )}
      <Figure
        label={
          <>
            Margin <span class="invented">invented</span>
          </>
        }
        value={now.cents === 0 ? "—" : percent(now.margin / now.cents)}
        href={sum("margin")}
        note={`${dollars(now.margin)}; costs are made up`}
      />
    </dl>
  );
}

function Figure({
  label,
  value,
  note,
  href,
}: {
  label: ComponentChildren;
  value: string;
  note: string;
  href?: string;
}) {
  return (
    <div class="fig-cell">
      <dt class="label">{label}</dt>
      <dd>
        {href === undefined ? (
          <span class="val">{value}</span>
        ) : (
          <a class="val door" href={href}>
            {value}
          </a>
        )}
        <div class="delta">{note}</div>
      </dd>
    </div>
  );
}

async function readDetails({ from, to, store, channel }: Filter) {
  const span = `order_date >= ${literal(from)}::date and order_date <= ${literal(to)}::date`;
  const months = `month >= date_trunc('month', ${literal(from)}::date) and month <= ${literal(to)}::date`;
  const own = [
    span,
    ...(store === "" ? [] : [`store_id = ${literal(store)}`]),
    ...(channel === "" ? [] : [`channel = ${literal(channel)}`]),
  ].join(" and ");
  type Row = Record<string, string>;
  const [hours, pizzas, sizes, stores, byChannel, segments] = await Promise.all([
    gold<Row>(
      `select weekday::text as weekday, hour::text as hour, sum(revenue)::text as revenue
       from gold.hourly_trends where ${span} group by weekday, hour`,
    ),
    gold<Row>(
      `select pizza_type_id as id, min(name) as name, sum(revenue)::text as revenue, sum(pizzas)::text as pizzas
       from gold.pizza_type_performance where ${months} group by pizza_type_id order by sum(revenue) desc, id`,
    ),
    gold<Row>(`select size, sum(revenue)::text as revenue from gold.size_performance where ${months} group by size`),
    gold<Row>(
      `select store_id as id, sum(revenue)::text as revenue, sum(orders)::text as orders
       from gold.revenue_analytics where ${own} group by store_id order by sum(revenue) desc, id`,
    ),
    gold<Row>(
      `select channel, sum(revenue)::text as revenue from gold.revenue_analytics where ${own}
       group by channel order by sum(revenue) desc, channel`,
    ),
    gold<Row>(
      `select segment, count(*)::text as people, sum(monetary)::text as revenue, sum(frequency)::text as orders
       from gold.customer_segments group by segment order by sum(monetary) desc, segment`,
    ),
  ]);
  return { hours, pizzas, sizes, stores, byChannel, segments };
}

const sizeOrder = ["S", "M", "L", "XL", "XXL"];
const firstPizzas = 9;

function Details({ days, filter, isAll }: { days: Days; filter: Filter; isAll: boolean }) {
  const { from, to } = filter;
  const { result, error, again } = useAnswer(JSON.stringify(filter), () => readDetails(filter));
  const [hasAll, setAll] = useState(false);
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading rows={9} />;
  const hours = result.hours.map((row) => ({
    weekday: Number(row["weekday"]),
    hour: Number(row["hour"]),
    cents: centsOf(row["revenue"]),
  }));
  const isWholeMonths = from.endsWith("-01") && addDays(to, 1).endsWith("-01");
  const [firstMonth, lastMonth] = [`${from.slice(0, 7)}-01`, `${to.slice(0, 7)}-01`];
  const monthsNote = `${firstMonth === lastMonth ? month(firstMonth) : `${month(firstMonth)} to ${month(lastMonth)}`}${isWholeMonths ? "" : ", whole months"}`;
  const everywhere = isAll ? "" : "; all stores and channels";
  const sizes = result.sizes
    .map((row) => ({ size: row["size"]!, cents: centsOf(row["revenue"]) }))
    .toSorted((a, b) => sizeOrder.indexOf(a.size) - sizeOrder.indexOf(b.size));
  const ofSizes = sizes.reduce((sum, { cents }) => sum + cents, 0) || 1;
  const shownPizzas = hasAll ? result.pizzas : result.pizzas.slice(0, firstPizzas);
  const channelTotal = result.byChannel.reduce((sum, row) => sum + centsOf(row["revenue"]), 0) || 1;
  return (
    <>
      <div class="split three">
        <Section title="When it sells" note={`thousand dollars by weekday and hour${everywhere}`}>
          <WithTable
            label="When it sells"
            columns={["Weekday and hour", "US dollars"]}
            rows={() =>
              hours
                .toSorted((a, b) => a.weekday - b.weekday || a.hour - b.hour)
                .map(({ weekday, hour, cents }) => [`${weekdays[weekday - 1]} ${hour}:00`, money(cents)])
            }
          >
            <HeatMap
              values={hours}
              href={(weekday, hour) =>
                sumHref("hourly_trends", "revenue", { from, to, weekday: String(weekday), hour: String(hour) })
              }
            />
          </WithTable>
        </Section>
        <Section
          title="Best pizzas"
          note={`US dollars, ${monthsNote}${everywhere}`}
          aside={
            <button class="btn quiet" type="button" onClick={() => setAll(!hasAll)}>
              {hasAll ? `The best ${firstPizzas}` : `All ${result.pizzas.length}`}
            </button>
          }
        >
          <RankedBars
            label="Revenue by pizza"
            items={shownPizzas.map((row) => ({
              id: row["id"]!,
              name: shortPizza(row["name"]!),
              value: centsOf(row["revenue"]),
              shown: money(centsOf(row["revenue"])),
              href: sumHref("pizza_type_performance", "revenue", {
                from: firstMonth,
                to: lastMonth,
                pizza_type_id: row["id"]!,
              }),
            }))}
          />
        </Section>
        <div>
          <Section title="Sizes" note="of revenue, whole months">
            <RankedBars
              label="Share of revenue by size"
              items={sizes.map(({ size, cents }) => ({
                id: size,
                name: size,
                value: cents,
                shown: percent(cents / ofSizes),
                href: sumHref("size_performance", "revenue", { from: firstMonth, to: lastMonth, size }),
              }))}
            />
          </Section>
          <Section title="Channels" note="of revenue">
            <RankedBars
              label="Share of revenue by channel"
              items={result.byChannel.map((row) => ({
                id: row["channel"]!,
                name: words(row["channel"]!),
                value: centsOf(row["revenue"]),
                shown: percent(centsOf(row["revenue"]) / channelTotal),
                href: sumHref("revenue_analytics", "revenue", {
                  from,
                  to,
                  store_id: filter.store,
                  channel: row["channel"]!,
                }),
              }))}
            />
          </Section>
        </div>
      </div>
      <div class="split two-b">
        <Stores rows={result.stores} days={days} filter={filter} />
        <Segments rows={result.segments} />
      </div>
    </>
  );
}

function Stores({ rows, days, filter }: { rows: Record<string, string>[]; days: Days; filter: Filter }) {
  const stores = rows.map((row) => {
    const id = row["id"]!;
    const place = days.catalog.stores.get(id);
    return {
      id,
      city: place?.city ?? id,
      state: place?.state ?? "",
      cents: centsOf(row["revenue"]),
      orders: row["orders"]!,
    };
  });
  const byState = new Map<string, number>();
  for (const { state, cents } of stores) byState.set(state, (byState.get(state) ?? 0) + cents);
  const most = Math.max(...stores.map(({ cents }) => cents), 1);
  return (
    <Section
      title={
        <>
          Stores <span class="invented">invented</span>
        </>
      }
      label="Stores"
      note={`${count(stores.length)} in ${counted(byState.size, "state")}`}
    >
      <div class="stores">
        <TileMap byState={byState} />
        <table class="t dense">
          <thead>
            <tr>
              <th scope="col">City</th>
              <th scope="col" class="hide-n">
                <span class="hidden">Share</span>
              </th>
              <th scope="col" class="n">
                US dollars
              </th>
              <th scope="col" class="n">
                Orders
              </th>
            </tr>
          </thead>
          <tbody>
            {stores.map(({ id, city, cents, orders }) => (
              <tr key={id}>
                <td>{city}</td>
                <td class="hide-n">
                  <svg width="84" height="10" aria-hidden="true">
                    <rect class="b-sub" width={Math.max(1, (84 * cents) / most)} height="10" />
                  </svg>
                </td>
                <td class="n">
                  <a
                    class="door"
                    href={sumHref("revenue_analytics", "revenue", {
                      from: filter.from,
                      to: filter.to,
                      store_id: id,
                      channel: filter.channel,
                    })}
                  >
                    {money(cents)}
                  </a>
                </td>
                <td class="n dim">{count(Number(orders))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Segments({ rows }: { rows: Record<string, string>[] }) {
  return (
    <Section
      title={
        <>
          Customers <span class="invented">invented</span>
        </>
      }
      label="Customers"
      note="segments, all time, every store"
    >
      <table class="t dense">
        <thead>
          <tr>
            <th scope="col">Segment</th>
            <th scope="col" class="n">
              US dollars
            </th>
            <th scope="col" class="n">
              People
            </th>
            <th scope="col" class="n">
              Orders each
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row["segment"]}>
              <td>{words(row["segment"]!)}</td>
              <td class="n">{money(centsOf(row["revenue"]))}</td>
              <td class="n">{count(Number(row["people"]))}</td>
              <td class="n dim">{(Number(row["orders"]) / Number(row["people"])).toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
