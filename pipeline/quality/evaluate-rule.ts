import type { Snapshot } from "../delta/table.ts";
import type { Catalog } from "../domain/catalog.ts";
import type { QualityRule, RuleDays, RuleParameter } from "../domain/quality-rules.ts";
import { countOf, type Receipt } from "../domain/receipt.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { watermarkDate } from "../silver/transactions.ts";
import { addDays } from "../domain/dates.ts";

/** What the rules are asked of, at one moment and one version of silver. */
export interface QualitySources {
  lake: LakeQuery;
  warehouse: Warehouse;
  catalog: Catalog;
  /** Text of the rules' SQL, by the name that a rule gives it. */
  qualitySql: ReadonlyMap<string, string>;
}

/** What the rules take over from the receipt. */
export type ReceiptPart = Pick<Receipt, "findings" | "unpublishedDays">;

export interface Offenders {
  offenders: number;
  /** Up to ten of them. */
  examples: string[];
}

const mostExamples = 10;
const judgedDays = 7;
const comparedDays = 28;

/** Asks one rule for its offenders. */
export async function evaluateRule(
  sources: QualitySources,
  rule: QualityRule,
  { snapshot, receipt, now }: { snapshot: Snapshot; receipt: ReceiptPart; now: number },
): Promise<Offenders> {
  const { source } = rule;
  if (source.on === "receipt") return fromReceipt(receipt, source.invariant);
  const { sql, parameters, tables } = ruleQuery(sources, rule, { snapshot, receipt, now });
  if (source.on === "warehouse") return fromRows(await sources.warehouse.query(sql, parameters));
  return fromRows(await sources.lake.query(sql, parameters, tables));
}

/** What a rule with SQL asks: of the lake with its table, of the warehouse with none. */
export function ruleQuery(
  { qualitySql, catalog }: Pick<QualitySources, "qualitySql" | "catalog">,
  rule: QualityRule,
  { snapshot, receipt, now }: { snapshot: Snapshot; receipt: ReceiptPart; now: number },
): { sql: string; parameters: (string | number)[]; tables: LakeTable[] } {
  const { source } = rule;
  if (source.on === "receipt") throw new Error(`rule ${rule.name} asks the receipt, and has no SQL`);
  const parameters = source.parameters.map((name) => parameterOf(name, rule, { snapshot, now }));
  const sql = counted(qualitySql.get(source.sql)!);
  if (source.on === "warehouse") return { sql, parameters, tables: [] };
  return { sql: withMenu(sql, catalog), parameters, tables: [tableOf(source.days, { snapshot, receipt })] };
}

/** The first offenders of a check, each with the number of all. */
function counted(sql: string): string {
  return `select found.*, count(*) over () as offenders from (\n${sql}) as found order by example limit ${mostExamples}`;
}

/** Whatever else a check says of an offender stands in front of it. */
function fromRows(rows: Record<string, unknown>[]): Offenders {
  const counts = rows.map(({ offenders, example, ...more }) => ({
    offenders: Number(offenders),
    example: [...Object.values(more), example].join(": "),
  }));
  return { offenders: counts[0]?.offenders ?? 0, examples: counts.map(({ example }) => example) };
}

function fromReceipt({ findings }: ReceiptPart, invariant: string): Offenders {
  const about = findings.filter((finding) => finding.invariant === invariant);
  return {
    offenders: about.reduce((sum, finding) => sum + countOf(finding), 0),
    examples: about.flatMap(({ examples }) => examples).slice(0, mostExamples),
  };
}

function tableOf(days: RuleDays, { snapshot, receipt }: { snapshot: Snapshot; receipt: ReceiptPart }): LakeTable {
  if (days === "all") return silverLakeTable(snapshot);
  if (days === "unpublished") return silverLakeTable(snapshot, receipt.unpublishedDays);
  const { from, until } = judgedRange(snapshot);
  const first = addDays(from, -comparedDays);
  const recent = [...snapshot.partitions.keys()].filter((day) => day >= first && day < until);
  return silverLakeTable(snapshot, recent);
}

function parameterOf(
  name: RuleParameter,
  { limit = 0 }: QualityRule,
  { snapshot, now }: { snapshot: Snapshot; now: number },
): string | number {
  if (name === "limit") return limit;
  if (name === "judged from") return judgedRange(snapshot).from;
  if (name === "judged until") return judgedRange(snapshot).until;
  return moment(name === "now" ? now : now - limit * 1000);
}

/** The last complete week: the days before the watermark. Without a watermark nothing is judged. */
function judgedRange(snapshot: Snapshot): { from: string; until: string } {
  const until = watermarkDate(snapshot) ?? "1970-01-01";
  return { from: addDays(until, -judgedDays), until };
}

/** A moment as DuckDB, Athena and PostgreSQL read it. */
function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "+00:00");
}

const columns = ["pizza_id", "pizza_type_id", "category", "size", "price_cents", "cost_cents"] as const;

/** Lake SQL that may ask a table `menu`: one row per pizza and range of days, from `valid_from` to before `valid_to`. */
function withMenu(sql: string, { pizzas }: Pick<Catalog, "pizzas">): string {
  const rows = [...pizzas.values()].flat().map((pizza) => {
    const cells = columns.map((name) => literal(pizza[name]));
    const range = [pizza.valid_from ?? "0001-01-01", pizza.valid_to ?? "9999-12-31"];
    return `(${[...cells, ...range.map((day) => `date ${literal(day)}`)].join(", ")})`;
  });
  const names = [...columns, "valid_from", "valid_to"].join(", ");
  return `with menu (${names}) as (values ${rows.join(", ")})\n${sql}`;
}

function literal(value: string | number): string {
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
