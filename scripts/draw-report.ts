/**
 * Draws the pages of the Power BI report as SVG, with the numbers of gold: `node scripts/draw-report.ts <data directory>`.
 * Power BI draws them in its own way; position, title and numbers of each visual are the same.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { measures, type Measure } from "../bi/measures.ts";
import { channelNames, tables } from "../bi/model.ts";
import { accent, partsOf } from "../bi/power-bi-project.ts";
import { pages, pageSize, type Field, type Page, type Visual } from "../bi/report.ts";
import { openLocalPipeline } from "../targets/local/open.ts";

type Cell = string | number | boolean | null;
type Ask = (sql: string) => Promise<Record<string, Cell>[]>;

const [ink, soft, line, paper] = ["#1F2529", "#5B6770", "#D9DFE2", "#FFFFFF"];
/** Places of the cities on a map of the United States, in degrees: a map of Power BI finds them by their names. */
const cities: Readonly<Record<string, readonly [west: number, north: number]>> = {
  "New York": [74, 40.7],
  Boston: [71.1, 42.4],
  Philadelphia: [75.2, 40],
  Miami: [80.2, 25.8],
  Atlanta: [84.4, 33.7],
  Chicago: [87.6, 41.9],
  Detroit: [83, 42.3],
  Houston: [95.4, 29.8],
  Dallas: [96.8, 32.8],
  Austin: [97.7, 30.3],
  Denver: [105, 39.7],
  Phoenix: [112.1, 33.4],
  "Los Angeles": [118.2, 34.1],
  "San Francisco": [122.4, 37.8],
  "San Diego": [117.2, 32.7],
  Seattle: [122.3, 47.6],
  Portland: [122.7, 45.5],
};

const joins: Readonly<Record<string, string>> = {
  Date: "join gold.dates on date = order_date",
  Store: "join gold.stores using (store_id)",
  Pizza: "join gold.menu using (pizza_id)",
};
const channelWords = Object.keys(channelNames)
  .map((name) => `'${name}'`)
  .join(", ");

const measureOf = (name: string): Measure => measures.find((measure) => measure.name === name)!;
const columnOf = (table: string, name: string) =>
  tables.find((each) => each.name === table)!.columns.find((column) => column.name === name)!;

/** The values of measures by the columns that a visual shows, in the order of the columns. */
async function valuesOf(ask: Ask, columns: readonly Field[], shown: readonly Field[]) {
  const keys = columns.map(partsOf);
  const rows = new Map<string, { key: Cell[]; sort: Cell[]; values: Map<string, number> }>();
  const dimensions = [...new Set(keys.map(({ table }) => joins[table] ?? ""))].join(" ");
  const terms = keys.map(({ table, name: column }) => {
    if (table === "Channel") return "channel";
    return table === "Hour" ? "hour" : columnOf(table, column).source;
  });
  const sorts = keys.map(({ table, name: column }, index) => {
    if (table === "Channel") return `array_position(array[${channelWords}], channel)`;
    const by = table === "Hour" ? undefined : columnOf(table, column).sortBy;
    return by === undefined ? terms[index]! : columnOf(table, by).source;
  });
  const named = [
    ...terms.map((term, index) => `${term}::text as key${index}`),
    ...sorts.map((term, index) => `${term} as sort${index}`),
  ];
  const groups = [...new Set([...terms, ...sorts])].join(", ");
  const grouping = groups === "" ? "" : `group by ${groups}`;
  for (const name of shown.map((field) => partsOf(field).name)) {
    const { sql } = measureOf(name);
    const select =
      "query" in sql
        ? `select key as key0, key as sort0, value::text from (${sql.query}) as measure`
        : `select ${[...named, `(${sql.aggregate})::text as value`].join(", ")} from ${sql.from} ${dimensions} ${grouping}`;
    for (const row of await ask(select)) {
      const key = keys.map(({ table }, index) => wordOf(table, row[`key${index}`]!));
      const found = rows.get(key.join("|")) ?? {
        key,
        sort: keys.map((_, index) => row[`sort${index}`]!),
        values: new Map(),
      };
      found.values.set(name, Number(row["value"] ?? 0));
      rows.set(key.join("|"), found);
    }
  }
  return [...rows.values()].toSorted((a, b) => compare(a.sort, b.sort));
}

function wordOf(table: string, value: Cell): Cell {
  if (table === "Channel") return channelNames[value as keyof typeof channelNames];
  if (table === "Hour") return `${String(value).padStart(2, "0")}:00`;
  return value;
}

function compare(a: readonly Cell[], b: readonly Cell[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index]!;
    const [x, y] = [left, right].map((value) => (Number.isNaN(Number(value)) ? String(value) : Number(value)));
    if (x !== y) return x! < y! ? -1 : 1;
  }
  return 0;
}

function show(name: string, value: number): string {
  const { format } = measureOf(name);
  if (format === "share") return `${(100 * value).toFixed(1)} %`;
  const digits = format === "count" ? 0 : 2;
  const shown = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return format === "dollars" ? `$${shown}` : shown;
}

const escaped = (content: string) => content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

interface TextStyle {
  size?: number;
  color?: string;
  anchor?: "start" | "middle" | "end";
  weight?: number;
}

function text(
  x: number,
  y: number,
  content: string,
  { size = 12, color = ink, anchor = "start", weight = 400 }: TextStyle = {},
): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${color}" text-anchor="${anchor}" font-weight="${weight}">${escaped(content)}</text>`;
}

const rect = (x: number, y: number, width: number, height: number, fill: string, extra = "") =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0, width).toFixed(1)}" height="${Math.max(0, height).toFixed(1)}" fill="${fill}"${extra}/>`;

const cut = (content: string, most: number) => (content.length > most ? `${content.slice(0, most - 1)}…` : content);

/** The content of a visual below its title, in a box at 0, 0. */
async function contentOf(ask: Ask, visual: Visual, width: number, height: number): Promise<string[]> {
  const { type, fields, sortBy } = visual;
  if (type === "card") {
    const [field] = fields["Values"]!;
    const [row] = await valuesOf(ask, [], [field!]);
    const { name } = partsOf(field!);
    return [text(0, height - 12, show(name, row?.values.get(name) ?? 0), { size: 28, weight: 600 })];
  }
  if (type === "tableEx") return drawTable(ask, visual, width, height);
  if (type === "pivotTable") return drawMatrix(ask, visual, width, height);
  const [measure] = (fields["Y"] ?? fields["Size"])!;
  const { name } = partsOf(measure!);
  let rows = await valuesOf(ask, fields["Category"]!, [measure!]);
  const valueOf = (row: (typeof rows)[number]) => row.values.get(name) ?? 0;
  if (sortBy !== undefined) rows = rows.toSorted((a, b) => valueOf(b) - valueOf(a));
  const most = Math.max(...rows.map(valueOf), 1);
  const isMonth = partsOf(fields["Category"]![0]!).name === "Month";
  const label = (row: (typeof rows)[number]) => (isMonth ? monthName(String(row.key[0])) : String(row.key[0]));
  if (type === "map") {
    return [
      rect(0, 0, width, height, "#EEF1F3"),
      ...rows.flatMap((row) => {
        const [west, north] = cities[label(row)] ?? [100, 40];
        const [x, y] = [((125 - west) / 58) * width, ((50 - north) / 26) * height];
        const size = 6 + 22 * Math.sqrt(valueOf(row) / most);
        const bubble = `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${size.toFixed(1)}" fill="${accent}" fill-opacity="0.55"/>`;
        return [bubble, text(x, y + size + 12, label(row), { size: 11, anchor: "middle" })];
      }),
    ];
  }
  if (type === "clusteredBarChart") {
    const step = Math.min(28, height / Math.min(rows.length, 10));
    return rows.slice(0, Math.floor(height / step)).flatMap((row, index) => {
      const y = index * step;
      const length = ((width - 300) * valueOf(row)) / most;
      return [
        text(190, y + step / 2 + 4, cut(label(row), 30), { anchor: "end", color: soft }),
        rect(200, y + 3, length, step - 6, accent),
        text(206 + length, y + step / 2 + 4, show(name, valueOf(row))),
      ];
    });
  }
  const step = width / rows.length;
  const top = height - 40;
  const heightOf = (row: (typeof rows)[number]) => ((top - 20) * valueOf(row)) / most;
  const axis = [rect(0, top, width, 1, line)];
  const labels = rows.map((row, index) =>
    text((index + 0.5) * step, top + 18, cut(label(row), Math.floor(step / 6)), {
      size: 11,
      anchor: "middle",
      color: soft,
    }),
  );
  if (type === "lineChart") {
    const points = rows.map((row, index) => `${((index + 0.5) * step).toFixed(1)} ${(top - heightOf(row)).toFixed(1)}`);
    const values = rows.map((row, index) =>
      text((index + 0.5) * step, top - heightOf(row) - 8, show(name, valueOf(row)), { size: 11, anchor: "middle" }),
    );
    return [
      ...axis,
      `<path d="M${points.join("L")}" fill="none" stroke="${accent}" stroke-width="2.5"/>`,
      ...values,
      ...labels,
    ];
  }
  return [
    ...axis,
    ...rows.flatMap((row, index) => [
      rect((index + 0.15) * step, top - heightOf(row), step * 0.7, heightOf(row), accent),
      text((index + 0.5) * step, top - heightOf(row) - 5, compact(valueOf(row)), { size: 11, anchor: "middle" }),
    ]),
    ...labels,
  ];
}

const compact = (value: number) => value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 });

function monthName(date: string): string {
  return new Date(`${date.slice(0, 10)}T00:00:00Z`).toLocaleDateString("en-US", {
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
}

async function drawTable(ask: Ask, { fields, sortBy }: Visual, width: number, height: number): Promise<string[]> {
  const shown = fields["Values"]!;
  const [columns, numbers] = [
    shown.filter((field) => typeof field === "string"),
    shown.filter((field) => typeof field !== "string"),
  ];
  const by = sortBy === undefined ? undefined : partsOf(sortBy);
  let rows: string[][];
  if (numbers.length > 0) {
    const found = await valuesOf(ask, columns, numbers);
    if (by !== undefined) found.sort((a, b) => (b.values.get(by.name) ?? 0) - (a.values.get(by.name) ?? 0));
    rows = found.map(({ key, values }) => [
      ...key.map(String),
      ...numbers.map((field) => show(partsOf(field).name, values.get(partsOf(field).name) ?? 0)),
    ]);
  } else {
    const source = tables.find(({ name }) => name === by!.table)!.source!;
    const sources = columns.map((field) => columnOf(by!.table, partsOf(field).name).source);
    const terms = sources.map((name) => `${name}::text as ${name}`).join(", ");
    const order = columnOf(by!.table, by!.name).source;
    const found = await ask(`select ${terms} from ${source} order by ${source}.${order} desc limit 20`);
    rows = found.map((row) => sources.map((name) => String(row[name] ?? "").slice(0, 16)));
  }
  // The first column, a name or a time, is wider.
  const wide = 0.5;
  const step = width / (shown.length + wide);
  const isNumber = (index: number) => index >= columns.length;
  const endOf = (index: number) => (index + 1 + wide) * step;
  const cell = (content: string, index: number, y: number, style: TextStyle) => {
    const room = index === 0 ? endOf(0) : step;
    const at = isNumber(index) ? endOf(index) - 6 : endOf(index) - room;
    return text(at, y, cut(content, Math.floor(room / 6.8)), { ...style, anchor: isNumber(index) ? "end" : "start" });
  };
  const lines = rows.slice(0, Math.floor((height - 24) / 24));
  return [
    ...shown.map((field, index) => cell(partsOf(field).name, index, 14, { color: soft, size: 11 })),
    rect(0, 22, width, 1, line),
    ...lines.flatMap((row, at) => row.map((content, index) => cell(content, index, 42 + at * 24, {}))),
    ...(lines.length === 0 ? [text(0, 46, "nothing", { color: soft })] : []),
  ];
}

async function drawMatrix(ask: Ask, { fields }: Visual, width: number, height: number): Promise<string[]> {
  const [measure] = fields["Values"]!;
  const { name } = partsOf(measure!);
  const rows = await valuesOf(ask, [...fields["Rows"]!, ...fields["Columns"]!], [measure!]);
  const down = [...new Set(rows.map(({ key }) => String(key[0])))];
  const across = [...new Map(rows.map(({ key, sort }) => [String(key[1]), sort[1]!])).entries()]
    .toSorted((a, b) => compare([a[1]], [b[1]]))
    .map(([key]) => key);
  const step = (width - 80) / across.length;
  const tall = Math.min(26, (height - 24) / down.length);
  const most = Math.max(...rows.map(({ values }) => values.get(name) ?? 0), 1);
  return [
    ...across.map((key, index) =>
      text(80 + (index + 0.5) * step, 14, cut(key, Math.floor(step / 6)), { size: 11, anchor: "middle", color: soft }),
    ),
    ...down.map((key, index) => text(0, 24 + (index + 0.5) * tall + 4, key, { size: 11, color: soft })),
    ...rows.flatMap(({ key, values }) => {
      const [x, y] = [80 + across.indexOf(String(key[1])) * step, 24 + down.indexOf(String(key[0])) * tall];
      const value = values.get(name) ?? 0;
      const shade = rect(
        x + 1,
        y + 1,
        step - 2,
        tall - 2,
        accent,
        ` fill-opacity="${(0.06 + (0.6 * value) / most).toFixed(2)}"`,
      );
      return [shade, text(x + step / 2, y + tall / 2 + 4, show(name, value), { size: 11, anchor: "middle" })];
    }),
  ];
}

async function drawPage(ask: Ask, { title, visuals }: Page): Promise<string> {
  const { width, height } = pageSize;
  const parts: string[] = [];
  for (const visual of visuals) {
    const { at } = visual;
    const [inner, below] = [{ width: at.width - 32, height: at.height - 56 }, 40];
    const content = await contentOf(ask, visual, inner.width, inner.height);
    parts.push(
      `<g transform="translate(${at.x} ${at.y})">${rect(0.5, 0.5, at.width - 1, at.height - 1, paper, ` stroke="${line}" rx="4"`)}`,
      text(16, 26, visual.title, {
        size: visual.type === "card" ? 13 : 14,
        weight: visual.type === "card" ? 400 : 600,
        color: visual.type === "card" ? soft : ink,
      }),
      `<g transform="translate(16 ${below})">${content.join("")}</g></g>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Segoe UI, system-ui, sans-serif" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
${rect(0, 0, width, height, "#F4F6F7")}
${parts.join("\n")}
</svg>
`;
}

const [, , dir] = process.argv;
if (dir === undefined) throw new Error("usage: node scripts/draw-report.ts <data directory>");
const pipeline = await openLocalPipeline({ dir, isReadOnly: true });
const folder = new URL("../docs/images/powerbi/", import.meta.url);
mkdirSync(folder, { recursive: true });
try {
  for (const page of pages) {
    const drawn = await drawPage(async (sql) => (await pipeline.query({ sql })) as Record<string, Cell>[], page);
    writeFileSync(new URL(`${page.name}.svg`, folder), drawn);
  }
} finally {
  await pipeline.close();
}
