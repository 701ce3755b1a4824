import { isDeepStrictEqual } from "node:util";
import { commitKey, listLog, readCommit } from "../delta/log.ts";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { Catalog } from "../domain/catalog.ts";
import { showOrder } from "../domain/order-map.ts";
import { createFindings, type Findings, type Receipt } from "../domain/receipt.ts";
import { createProducerLedger, type ProducerLedger } from "../domain/sequence-gaps.ts";
import type { Notifier, ObjectStore, OnProgress } from "../ports.ts";
import { checkRules } from "../silver/transactions.ts";
import { compareGold, type GoldSources, isSameSales, showSales } from "./compare-gold.ts";
import { watchDataFiles, type DataFiles } from "./data-files.ts";
import { readQuarantine, readSilver, wholeSilver, type SilverTable } from "./read-layers.ts";
import { createEventReconciliation, type WrongOrder } from "./reconcile-events.ts";
import { reconcileRecords, type StreamContents } from "./reconcile-records.ts";
import { explainLines, linesOf, orderOfLine, readLineColumns } from "./silver-lines.ts";

const mostExplained = 10;
const noGap = "no gap in a till's numbers";

/**
 * The data that the receipt is computed from: every layer's contents, no counters. Open the two tables for the receipt
 * alone, so that it reads their logs and not a process's cached snapshot.
 */
export interface ReconciliationSources extends GoldSources {
  store: ObjectStore;
  stream: string;
  streamContents: StreamContents;
  quarantine: DeltaTable;
  catalog: Catalog;
  customerKey: (customerId: string) => string;
  /** Text of the files in `sql/checks/`, by name. */
  checks: ReceiptChecks;
  onProgress?: OnProgress;
}

/** The SQL of the receipt. */
export interface ReceiptChecks extends Record<keyof GoldSources["checks"], string> {
  /** Lake: one row per rejected event. */
  quarantinedEvents: string;
  /** Lake: order lines that exist twice. */
  silverRepeats: string;
}

/** The sources, with damaged data files skipped. */
type ReadSources = ReconciliationSources & { dataFiles: DataFiles };

/**
 * Reconciles every record from the stream to gold. The receipt balances if it has no findings. Throws if a table's log
 * cannot be read, or if silver was judged by other rules than this program's.
 */
export async function verifyReceipt(given: ReconciliationSources): Promise<Receipt> {
  const [findings, notes] = [createFindings(), createFindings()];
  const dataFiles = watchDataFiles(given.lake, findings);
  const sources: ReadSources = { ...given, lake: dataFiles.lake, dataFiles };
  const snapshot = await sources.silver.snapshot();
  checkRules(snapshot);
  for (const { root } of [sources.silver, sources.quarantine]) await checkLog(sources.store, root, findings);
  const table = await wholeSilver(sources, snapshot, findings);
  // The first compares raw events with silver in this process; the second mostly waits for the warehouse.
  const [totals, days] = await Promise.all([
    reconcileToSilver(sources, { table, snapshot }, findings, notes),
    compareGold(sources, { table, snapshot }, findings),
  ]);
  if (!isSameSales(totals.expected, days.silver)) {
    const example = `${showSales(days.silver)} for ${showSales(totals.expected)}`;
    findings.add("silver = bronze", "total of silver differs from the total of bronze", example);
  }
  return { ...totals, ...days, notes: notes.list(), findings: findings.list() };
}

/** Follows every record from the stream through bronze into silver or the quarantine. */
async function reconcileToSilver(
  sources: ReadSources,
  { table, snapshot }: { table: SilverTable; snapshot: Snapshot },
  findings: Findings,
  notes: Findings,
) {
  const layers = {
    silver: await readSilver(sources, table(), { snapshot, findings }),
    ...(await readQuarantine(sources, { silverTable: table() }, findings)),
  };
  const ledger = createProducerLedger();
  const reconciliation = createEventReconciliation({ ...sources, layers, ledger }, findings, notes);
  const records = await reconcileRecords({ ...sources, snapshot }, reconciliation.note, findings);
  const { events, expected, notSales, wrong } = reconciliation.finish();
  await noteWrong(sources, { wrong, table }, findings);
  noteGaps(ledger, findings, notes);
  await noteRepeats(sources, table, findings);
  return { records, events, notSales, expected, producers: ledger.producers };
}

/** Reports the differing cells of the first wrong orders; reading those again is cheaper than keeping every order. */
async function noteWrong(
  { store, dataFiles }: ReadSources,
  { wrong, table }: { wrong: readonly WrongOrder[]; table: SilverTable },
  findings: Findings,
): Promise<void> {
  for (const [index, { order, position, expected }] of wrong.entries()) {
    const sentence = "orders in silver differ from their event";
    if (index >= mostExplained) {
      findings.add("silver = bronze", sentence, showOrder(order));
      continue;
    }
    const lines = [];
    for (const file of table([order.orderDate]).files) {
      const columns = await dataFiles.read(file, async () => await readLineColumns((await store.get(file))!));
      if (columns !== undefined) lines.push(...linesOf(columns, order.orderDate));
    }
    const mine = lines.filter((cells) => isDeepStrictEqual(orderOfLine(cells), order));
    const differences = explainLines(mine, expected).join("; ");
    findings.add("silver = bronze", sentence, `${showOrder(order)} at ${position}: ${differences}`);
  }
}

/** Reports every sequence gap: as a note if unreadable events of that till may explain all of it, else as a finding. */
function noteGaps(ledger: ProducerLedger, findings: Findings, notes: Findings): void {
  for (const { producerId, missing, ranges, maybeUnreadable } of ledger.gaps()) {
    const numbers = `${producerId}: ${ranges.slice(0, 5).join(", ")}${ranges.length > 5 ? ", ..." : ""}`;
    const among = `${maybeUnreadable} may be among the unreadable events of that till`;
    if (maybeUnreadable >= missing) notes.add(noGap, "tills have gaps that unreadable events may explain", numbers);
    else
      findings.add(
        noGap,
        "tills sent events that never arrived",
        maybeUnreadable > 0 ? `${numbers} (${among})` : numbers,
      );
  }
}

async function noteRepeats(
  { lake, checks }: ReconciliationSources,
  table: SilverTable,
  findings: Findings,
): Promise<void> {
  for (const row of await lake.query(checks.silverRepeats, [], [table()])) {
    findings.add("silver is distinct", `offenders: ${row["what"]}`, String(row["example"]));
  }
}

/** The receipt as the verify step of `data_quality` returns it. */
export type CheckedReceipt = Receipt & { balanced: boolean };

/**
 * Computes the receipt, and sends an alert if it does not balance. An unbalanced receipt does not fail the step, but a
 * failure to send the alert does.
 */
export async function alertReceipt({
  verify,
  notifier,
}: {
  verify: () => Promise<Receipt>;
  notifier?: Notifier;
}): Promise<CheckedReceipt> {
  const receipt = await verify();
  const balanced = receipt.findings.length === 0;
  if (!balanced)
    await notifier?.notify({ subject: "Pizza sales: the receipt does not balance", text: textOf(receipt) });
  return { balanced, ...receipt };
}

function textOf({ findings }: Receipt): string {
  const lines = findings.map(
    ({ invariant, sentence, examples }) =>
      `${invariant}: ${sentence}\n${examples.map((example) => `  ${example}`).join("\n")}`,
  );
  return [
    ...lines,
    "",
    "What to do: run ./pizza verify to see the whole receipt; docs/pipeline.md explains each line.",
  ].join("\n");
}

/**
 * Finds commits that are stored under a different version than the one they were written for. Checks only the commits
 * after the newest checkpoint, because the table is read from that.
 */
async function checkLog(store: ObjectStore, root: string, findings: Findings): Promise<void> {
  const { commits, checkpoints } = await listLog(store, root);
  const base = checkpoints.at(-1) ?? -1;
  for (const version of commits.filter((commit) => commit > base)) {
    const actions = await readCommit(store, root, version);
    const readVersion = actions?.find(({ commitInfo }) => commitInfo)?.commitInfo?.["readVersion"];
    // `readVersion` is optional in commitInfo: other engines may omit it, and the first commit has none.
    if (typeof readVersion !== "number" || readVersion === version - 1) continue;
    const example = `${commitKey(root, version)} was written as version ${readVersion + 1}`;
    findings.add(
      "the lake is whole",
      "commits are stored under a different version than they were written for",
      example,
    );
  }
}
