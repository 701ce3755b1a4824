import type { Warehouse } from "../ports.ts";
import type { DayAtVersion } from "../gold/shown-lines.ts";
import type { Scope } from "./terms.ts";

const dayMs = 86_400_000;
const [earliest, latest] = ["2000-01-01", "2199-12-31"];

/** First and last day of a scope, seen from a row whose day, or first day of its month, is `date`. */
export function rangeOf(scope: Scope, date: { day: string } | { month: string } | undefined): [string, string] {
  if (date === undefined || scope === "all days") return [earliest, latest];
  if ("month" in date) return scope === "month before" ? monthOf(addDays(date.month, -1)) : monthOf(date.month);
  if (scope === "month so far") return [`${date.day.slice(0, 7)}-01`, date.day];
  return scope === "seven days" ? [addDays(date.day, -6), date.day] : [date.day, date.day];
}

function monthOf(day: string): [string, string] {
  const first = `${day.slice(0, 7)}-01`;
  return [first, addDays(`${addDays(first, 31).slice(0, 7)}-01`, -1)];
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}

/** A published day: the version of silver that its facts show, and its rows per customer, where it has them. */
export interface ShownDay extends DayAtVersion {
  customersVersion: number | null;
}

/** Gold shows every change of silver up to the cursor: a day that was published before has not changed since. */
const shownSql = `
  select
    order_date::text as order_date,
    greatest(silver_version, shown.version)::text as version,
    case
      when customers_version >= silver_version then greatest(silver_version, shown.version)
      else customers_version
    end::text as customers_version
  from ops.windows
  cross join (select max(value::bigint) as version from ops.cursor where name = 'silver_version') as shown
  order by 1`;

/** Every published day. */
export async function readShownDays(warehouse: Warehouse): Promise<ShownDay[]> {
  const rows = await warehouse.query<{ order_date: string; version: string; customers_version: string | null }>(
    shownSql,
  );
  return rows.map(({ order_date, version, customers_version }) => ({
    order_date,
    version: Number(version),
    customersVersion: customers_version === null ? null : Number(customers_version),
  }));
}
