import type { Snapshot } from "../delta/table.ts";
import type { Catalog } from "../domain/catalog.ts";
import type { QualityRule, RuleDays, RuleParameter } from "../domain/quality-rules.ts";
import { countOf, type Finding, type Receipt } from "../domain/receipt.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { watermarkDate } from "../silver/transactions.ts";
import { addDays } from "../domain/dates.ts";

/** The sources that the rules are evaluated on. */
export interface QualitySources {
  lake: LakeQuery;
  warehouse: Warehouse;
  catalog: Catalog;
  /** Texts of the rules' SQL, by the name in the rule's source. */
  qualitySql: ReadonlyMap<string, string>;
}

/** The part of the receipt that the rules use. */
export type ReceiptPart = Pick<Receipt, "findings" | "notes" | "unpublishedDays">;

/** What a workflow passes on instead of a receipt that could not be computed: the error of its state. */
export interface FailedReceipt {
  Error: string;
  Cause: string;
}

/** The number of a rule's offenders, with examples. */
export interface Offenders {
  offenders: number;
  /** At most ten. */
  examples: string[];
}

const mostExamples = 10;
const judgedDays = 7;
const comparedDays = 28;
/** Five weeks, and a day because days begin at other times in other time zones. */
const habitDays = 36;

/**
 * Evaluates one rule at a silver snapshot and a time; returns its offenders. A rule that needs a receipt that could not
 * be computed has that as its offender.
 */
export async function evaluateRule(
  sources: QualitySources,
  rule: QualityRule,
  { snapshot, receipt: given, now }: { snapshot: Snapshot; receipt: ReceiptPart | FailedReceipt; now: number },
): Promise<Offenders> {
  const { source } = rule;
  if ("Error" in given && needsReceipt(rule)) {
    return { offenders: 1, examples: [`the receipt could not be computed: ${given.Error}: ${given.Cause}`] };
  }
  const receipt = "Error" in given ? noReceipt : given;
  if (source.on === "receipt")
    return fromReceipt(source.isNote === true ? receipt.notes : receipt.findings, source.invariant);
  const { sql, parameters, tables } = ruleQuery(sources, rule, { snapshot, receipt, now });
  if (source.on === "warehouse") return fromRows(await sources.warehouse.query(sql, parameters));
  return fromRows(await sources.lake.query(sql, parameters, tables));
}

/** For rules that do not need it. */
export const noReceipt: ReceiptPart = { findings: [], notes: [], unpublishedDays: [] };

/** Whether a rule needs the receipt, which has to read all of bronze. */
export const needsReceipt = ({ source }: QualityRule): boolean =>
  source.on === "receipt" || (source.on === "lake" && source.days === "unpublished");

/** Returns the query of a rule with SQL: on the lake with its table, on the warehouse with none. */
export function ruleQuery(
  { qualitySql, catalog }: Pick<QualitySources, "qualitySql" | "catalog">,
  rule: QualityRule,
  { snapshot, receipt, now }: { snapshot: Snapshot; receipt: ReceiptPart; now: number },
): { sql: string; parameters: (string | number)[]; tables: LakeTable[] } {
  const { source } = rule;
  if (source.on === "receipt") throw new Error(`rule ${rule.name} is based on the receipt and has no SQL`);
  const parameters = source.parameters.map((name) => parameterOf(name, rule, { snapshot, now }));
  const sql = counted(qualitySql.get(source.sql)!);
  if (source.on === "warehouse") return { sql, parameters, tables: [] };
  return { sql: withMenu(sql, catalog), parameters, tables: [tableOf(source.days, { snapshot, receipt, now })] };
}

/** Wraps a check so that it returns its first offenders, each with the number of all offenders. */
function counted(sql: string): string {
  return `select found.*, count(*) over () as offenders from (\n${sql}) as found order by example limit ${mostExamples}`;
}

/** Reads the offenders; a check's further columns precede the example. */
function fromRows(rows: Record<string, unknown>[]): Offenders {
  const counts = rows.map(({ offenders, example, ...more }) => ({
    offenders: Number(offenders),
    example: [...Object.values(more), example].join(": "),
  }));
  return { offenders: counts[0]?.offenders ?? 0, examples: counts.map(({ example }) => example) };
}

function fromReceipt(findings: readonly Finding[], invariant: string): Offenders {
  const about = findings.filter((finding) => finding.invariant === invariant);
  return {
    offenders: about.reduce((sum, finding) => sum + countOf(finding), 0),
    examples: about.flatMap(({ examples }) => examples).slice(0, mostExamples),
  };
}

function tableOf(
  days: RuleDays,
  { snapshot, receipt, now }: { snapshot: Snapshot; receipt: ReceiptPart; now: number },
): LakeTable {
  if (days === "all") return silverLakeTable(snapshot);
  if (days === "unpublished") return silverLakeTable(snapshot, receipt.unpublishedDays);
  if (days === "last weeks") {
    const since = addDays(new Date(now).toISOString().slice(0, 10), -habitDays);
    return silverLakeTable(
      snapshot,
      [...snapshot.partitions.keys()].filter((day) => day >= since),
    );
  }
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

/** Returns the last complete week, the seven days before the watermark. Without a watermark, no silver day is in it. */
function judgedRange(snapshot: Snapshot): { from: string; until: string } {
  const until = watermarkDate(snapshot) ?? "1970-01-01";
  return { from: addDays(until, -judgedDays), until };
}

/** Formats a time so that DuckDB, Athena and PostgreSQL can parse it. */
function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "+00:00");
}

const columns = ["pizza_id", "pizza_type_id", "category", "size", "price_cents", "cost_cents"] as const;

/**
 * Adds a CTE `menu` to lake SQL: one row per pizza and validity range, `valid_from` inclusive, `valid_to` exclusive.
 */
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
