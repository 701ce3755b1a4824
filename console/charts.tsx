import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addDays, count, day, daysBetween, money, monthName, weekdays } from "./format.ts";

/** Charts are SVG, drawn for the width that they get. Each has a table behind it. */

/** The width that an element has, in CSS pixels. */
function useWidth(initial: number) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(initial);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(120, Math.floor(entry!.contentRect.width))));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  return { box, width };
}

/** A chart with a button that shows the same numbers as a table. */
export function WithTable({
  columns,
  rows,
  children,
  label,
}: {
  label: string;
  columns: readonly string[];
  rows: () => readonly (readonly ComponentChildren[])[];
  children: ComponentChildren;
}) {
  const [isTable, setTable] = useState(false);
  return (
    <div class="chart-box">
      {isTable ? (
        <div class="as-table" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
          <table class="t">
            <thead>
              <tr>
                {columns.map((name, index) => (
                  <th key={name} scope="col" class={index === 0 ? "" : "n"}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows().map((row, at) => (
                <tr key={at}>
                  {row.map((value, index) => (
                    <td key={index} class={index === 0 ? "" : "n"}>
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        children
      )}
      <button class="btn quiet table-toggle" type="button" onClick={() => setTable(!isTable)}>
        {isTable ? `Show ${label.toLowerCase()} as a chart` : `Show ${label.toLowerCase()} as a table`}
      </button>
    </div>
  );
}

export interface DayValue {
  date: string;
  cents: number;
  orders: number;
}

/** Days in one bar, where a day would be narrower than two pixels. */
const spans = [1, 7, 28, 91, 364];

/** Revenue by day, the chosen days in blue; the line is the mean of seven open days. Where it is narrow, bars are weeks. */
export function DayBars({
  days: allDays,
  from,
  to,
  href,
}: {
  days: readonly DayValue[];
  from: string;
  to: string;
  /** Where a bar leads: the day, or its first and last day. */
  href: (first: string, last: string) => string;
}) {
  const { box, width } = useWidth(1048);
  const [chosen, setChosen] = useState<string>();
  const [left, top, bottom, height] = [44, 20, 20, 176];
  const [first, last] = [allDays[0]?.date ?? from, allDays.at(-1)?.date ?? to];
  const slots = daysBetween(first, last) + 1;
  const span = spans.find((some) => (some * (width - left)) / slots >= 1.8) ?? spans.at(-1)!;
  const step = (width - left) / Math.ceil(slots / span);
  const days = inSpans(allDays, { first, span });
  const most = Math.max(...days.map(({ cents }) => cents), 1);
  const unit = niceStep(most / 4);
  const y = (cents: number) => height - bottom - ((height - bottom - top) * cents) / (unit * Math.ceil(most / unit));
  const x = (date: string) => left + (daysBetween(first, date) / span) * step;
  const means = days.map((_, index) => {
    const some = days.slice(Math.max(0, index - 6), index + 1);
    return some.reduce((sum, { cents }) => sum + cents, 0) / some.length;
  });
  const isInside = (date: string) => addDays(date, span - 1) >= from && date <= to;
  const name = (date: string) => (span === 1 ? day(date) : `${span} days from ${day(date)}`);
  const inside = days.filter(({ date }) => isInside(date));
  const best = inside.reduce<DayValue | undefined>((a, b) => (a === undefined || b.cents > a.cents ? b : a), undefined);
  const shown = days.find(({ date }) => date === chosen) ?? best;
  const move = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0 || shown === undefined) return;
    event.preventDefault();
    setChosen(days[Math.min(days.length - 1, Math.max(0, days.indexOf(shown) + by))]!.date);
  };
  const months = monthStarts(first, last);
  const isYears = months.length > 30;
  const every = Math.ceil((isYears ? 40 : 34) / (width / months.length));
  const ticks = isYears
    ? months.filter((date) => date.slice(5, 7) === "01" && Number(date.slice(0, 4)) % Math.ceil(every / 12) === 0)
    : months.filter((_, index) => index % every === 0);
  return (
    <div ref={box}>
      <svg
        class="chart"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        tabIndex={0}
        role="group"
        aria-label="Revenue by day, US dollars; arrow keys choose a day"
        onKeyDown={move}
      >
        {Array.from({ length: Math.ceil(most / unit) }, (_, index) => (index + 1) * unit).map((cents) => (
          <g key={cents}>
            <path class="grid-l" d={`M${left} ${y(cents)}H${width}`} />
            <text class="end" x={left - 6} y={y(cents) + 4}>
              {count(cents / 100)}
            </text>
          </g>
        ))}
        {days.map(({ date, cents }) => (
          <a
            key={date}
            href={href(date, addDays(date, span - 1))}
            tabIndex={-1}
            aria-label={`${name(date)}, ${money(cents)}`}
          >
            <rect
              class="hit"
              x={x(date)}
              y={top}
              width={step}
              height={height - top - bottom}
              onMouseEnter={() => setChosen(date)}
            />
            <rect
              class={isInside(date) ? "b-sub" : "b-ctx"}
              x={x(date)}
              y={y(cents)}
              width={Math.max(0.6, step - (step > 2.5 ? 1 : 0.4))}
              height={height - bottom - y(cents)}
            />
          </a>
        ))}
        <path class="axis-l" d={`M${left} ${height - bottom + 0.5}H${width}`} />
        {span === 1 && days.length > 7 && (
          <path
            class="l-ink no-hit"
            d={`M${days.map(({ date }, index) => `${x(date) + step / 2} ${y(means[index]!)}`).join("L")}`}
          />
        )}
        {ticks.map((date) => (
          <g key={date}>
            <path class="axis-l" d={`M${x(date)} ${height - bottom}v4`} />
            <text x={x(date) + 3} y={height - 5}>
              {isYears ? date.slice(0, 4) : monthName(Number(date.slice(5, 7)) - 1)}
            </text>
          </g>
        ))}
        {shown !== undefined && (
          <g class="no-hit">
            <circle class="mark-ring" cx={x(shown.date) + step / 2} cy={y(shown.cents)} r="3" />
            <text
              class={`ts halo ${x(shown.date) > width / 2 ? "end" : ""}`}
              x={x(shown.date) + step / 2 + (x(shown.date) > width / 2 ? -8 : 8)}
              y={Math.max(12, y(shown.cents) - 4)}
            >
              {name(shown.date)}, {money(shown.cents)}
            </text>
          </g>
        )}
      </svg>
      <p class="hidden" aria-live="polite">
        {chosen !== undefined && shown !== undefined && `${name(shown.date)}, ${money(shown.cents)} dollars`}
      </p>
    </div>
  );
}

/** Days added up in bars of `span` days, each named by its first day. */
function inSpans(days: readonly DayValue[], { first, span }: { first: string; span: number }): DayValue[] {
  if (span === 1) return [...days];
  const bars = new Map<string, DayValue>();
  for (const { date, cents, orders } of days) {
    const start = addDays(first, Math.floor(daysBetween(first, date) / span) * span);
    const bar = bars.get(start) ?? { date: start, cents: 0, orders: 0 };
    bars.set(start, { date: start, cents: bar.cents + cents, orders: bar.orders + orders });
  }
  return [...bars.values()];
}

function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10);
}

/** The first day of each month in a span. */
function monthStarts(first: string, last: string): string[] {
  const starts = [];
  for (let date = `${first.slice(0, 7)}-01`; date <= last; date = `${addDays(date, 32).slice(0, 7)}-01`) {
    if (date >= first) starts.push(date);
  }
  return starts;
}

export interface HourValue {
  weekday: number;
  hour: number;
  cents: number;
}

/** Thousand dollars by weekday and hour; lightness is the quantity. */
export function HeatMap({
  values,
  href,
}: {
  values: readonly HourValue[];
  href: (weekday: number, hour: number) => string;
}) {
  const { box, width } = useWidth(436);
  const hours = values.map(({ hour }) => hour);
  const [first, last] = [Math.min(...hours, 11), Math.max(...hours, 22)];
  const [left, top, row] = [34, 18, 24];
  const step = (width - left) / (last - first + 1);
  const most = Math.max(...values.map(({ cents }) => cents), 1);
  return (
    <div ref={box}>
      <svg
        class="chart hm"
        width={width}
        height={top + 7 * row}
        viewBox={`0 0 ${width} ${top + 7 * row}`}
        role="group"
        aria-label="Revenue by weekday and hour"
      >
        {Array.from({ length: last - first + 1 }, (_, index) => (
          <text key={index} x={left + (index + 0.5) * step} y={12}>
            {step >= 16 || index % 3 === 0 ? first + index : ""}
          </text>
        ))}
        {weekdays.map((name, index) => (
          <text key={name} class="tx day-name" x={0} y={top + index * row + 16}>
            {name}
          </text>
        ))}
        {values.map(({ weekday, hour, cents }) => {
          const level = cents === 0 ? 0 : Math.min(7, 1 + Math.floor((6.999 * cents) / most));
          const at = [left + (hour - first) * step, top + (weekday - 1) * row] as const;
          return (
            <a
              key={`${weekday} ${hour}`}
              href={href(weekday, hour)}
              aria-label={`${weekdays[weekday - 1]} ${hour}:00, ${(cents / 100_000).toFixed(1)} thousand: ${money(cents)} dollars`}
            >
              <rect
                class={`h${level}`}
                x={at[0] + 0.5}
                y={at[1] + 0.5}
                width={Math.max(1, step - 1)}
                height={row - 1}
              />
              {step >= 22 && (
                <text class={`on ${level >= 5 ? "h-dark" : "h-lite"}`} x={at[0] + step / 2} y={at[1] + 16}>
                  {(cents / 100_000).toFixed(1)}
                </text>
              )}
            </a>
          );
        })}
      </svg>
    </div>
  );
}

export interface Ranked {
  id: string;
  name: string;
  value: number;
  shown: string;
  aside?: string | undefined;
  href?: string | undefined;
}

/** Bars by size, with the value beside each. */
export function RankedBars({ items, label }: { items: readonly Ranked[]; label: string }) {
  const most = Math.max(...items.map(({ value }) => value), 1);
  return (
    <ul class="ranked" aria-label={label}>
      {items.map(({ id, name, value, shown, aside, href }) => (
        <li key={id}>
          <span class="cut">{name}</span>
          <svg width="100%" height="10" aria-hidden="true">
            <rect class="b-sub" width={`${Math.max(0.5, (100 * value) / most)}%`} height="10" />
          </svg>
          {href === undefined ? (
            <span class="n">{shown}</span>
          ) : (
            <span class="n">
              <a class="door" href={href}>
                {shown}
              </a>
            </span>
          )}
          {aside !== undefined && <span class="n dim">{aside}</span>}
        </li>
      ))}
    </ul>
  );
}

/** The states of the USA as tiles: column and row of each. */
const tiles =
  "AK 0 0,ME 10 0,VT 9 1,NH 10 1,WA 0 2,ID 1 2,MT 2 2,ND 3 2,MN 4 2,WI 5 2,MI 7 2,NY 8 2,MA 9 2,CT 10 2,OR 0 3,NV 1 3,WY 2 3,SD 3 3,IA 4 3,IN 6 3,IL 5 3,OH 7 3,PA 8 3,RI 9 3,NJ 10 3,CA 0 4,UT 1 4,CO 2 4,NE 3 4,MO 4 4,KY 5 4,WV 6 4,VA 7 4,MD 8 4,DE 9 4,AZ 1 5,NM 2 5,KS 3 5,AR 4 5,TN 5 5,NC 6 5,SC 7 5,DC 8 5,OK 3 6,LA 4 6,MS 5 6,AL 6 6,GA 7 6,HI 0 7,TX 3 7,FL 8 7"
    .split(",")
    .map((tile) => tile.split(" ") as [string, string, string]);

/** Revenue by state: one tile a state; a state without a store stays grey. */
export function TileMap({ byState }: { byState: ReadonlyMap<string, number> }) {
  const most = Math.max(...byState.values(), 1);
  return (
    <svg class="chart map-g" width="231" height="168" viewBox="0 0 231 168" role="img" aria-label="Revenue by state">
      {tiles.map(([state, column, row]) => {
        const cents = byState.get(state);
        const level = cents === undefined ? 0 : Math.min(7, 2 + Math.floor((5.999 * cents) / most));
        return (
          <g key={state} class={cents === undefined ? "" : "on"}>
            <rect class={`h${level}`} x={Number(column) * 21} y={Number(row) * 21} width="20" height="20" rx="2" />
            <text
              class={cents === undefined ? "off" : `on ${level >= 5 ? "h-dark" : "h-lite"}`}
              x={Number(column) * 21 + 10}
              y={Number(row) * 21 + 14}
            >
              {state}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
