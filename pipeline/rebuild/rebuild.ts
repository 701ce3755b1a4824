import { backupId } from "../backup/manifest.ts";
import type { BronzeObject } from "../bronze/list-bronze.ts";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import { OrderMap } from "../domain/order-map.ts";
import { groupByMonth } from "../gold/facts.ts";
import { forgetLostCommits } from "../gold/published-commit.ts";
import { publishCustomerDays, type GoldSql, publishDays } from "../gold/publish-windows.ts";
import type { LakeQuery, LakeTable, OnProgress, Warehouse } from "../ports.ts";
import type { RefineContext } from "../silver/refine-silver.ts";
import { silverLakeTable } from "../silver/tables.ts";
import {
  compareRebuiltGold,
  type TableOf,
  causesOf,
  lateDays,
  readLedger,
  type LedgerDay,
  type GoldContext,
} from "./compare-gold.ts";
import { compareSilver, readReasons, type SilverDifferences } from "./compare-silver.ts";
import { isJudgedByOtherRules } from "../silver/transactions.ts";
import { replaceQuarantine, replaceQuarantined, replaceSilver } from "./replace-silver.ts";
import { recoverCommits } from "./recover-commits.ts";
import { findMissingObjects, findMissingRecords, replayBronze } from "./replay-bronze.ts";
import { type Difference, lacksBronze, reportOf, type RebuildReport } from "./report.ts";
import { openStagingTables, type StagingTables } from "./staging-tables.ts";

/** The tables, engines and SQL that a rebuild uses. */
export interface RebuildContext {
  refinery: RefineContext;
  lake: LakeQuery;
  /** Connected as the writer. */
  warehouse: Warehouse;
  sql: GoldSql;
  /** Runs a job while no workflow runs; without it, only optimistic commits and version fences order the writes. */
  exclusively?: <Result>(job: () => Promise<Result>) => Promise<Result>;
  onProgress?: OnProgress;
}

/** The days to rebuild, and how. */
export interface RebuildRequest {
  /** Business dates `YYYY-MM-DD`, both inclusive. */
  from: string;
  to: string;
  /** `bronze` rebuilds silver and gold; `silver` rebuilds only gold. */
  source: "bronze" | "silver";
  /** Whether to compare only, without publishing. */
  isDryRun: boolean;
}

const mostAttempts = 5;

/**
 * Rebuilds days in staging tables while the pipeline runs, compares them cell by cell with the published ones, and
 * publishes what differs: first silver's days in one commit, then gold's. Equal days stay untouched. A rebuild that is
 * killed before the commit has changed nothing; repeating one that was killed later completes it. Publishes nothing if
 * bronze lacks records that silver was made from. If silver has lost the commits that gold was published from, every
 * day is published again. Throws if other writers keep changing silver.
 */
export async function rebuild(context: RebuildContext, request: RebuildRequest): Promise<RebuildReport> {
  const { refinery, exclusively = (job) => job() } = context;
  const { store, clock, silver } = refinery;
  const started = clock();
  const staging = await openStagingTables({ store, clock, id: backupId(started) });
  try {
    if (!request.isDryRun) await recoverCommits(refinery, context.warehouse);
    // The long part runs outside `exclusively`; the few objects that arrive meanwhile are replayed below.
    if (request.source === "bronze") {
      await replayBronze(refinery, { staging, snapshot: await silver.snapshot(), onProgress: context.onProgress });
    }
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const report = await exclusively(() => compareAndPublish(context, staging, request));
      if (report !== undefined) return { ...report, milliseconds: clock() - started };
    }
  } finally {
    await staging.remove();
  }
  throw new Error(
    `silver was changed by other writers in ${mostAttempts} attempts to replace it: retry with less traffic`,
  );
}

/** Compares with the current silver, and publishes; undefined if silver was changed meanwhile. */
async function compareAndPublish(
  context: RebuildContext,
  staging: StagingTables,
  request: RebuildRequest,
): Promise<RebuildReport | undefined> {
  const { refinery } = context;
  const { silver } = refinery;
  const snapshot = await silver.snapshot();
  const isWhole = request.source === "bronze";
  const listed = isWhole ? await replayBronze(refinery, { staging, snapshot }) : [];
  const rebuilt = isWhole ? await staging.silver.snapshot() : snapshot;
  const table: TableOf = (days) => (isWhole ? stagingTable(staging, rebuilt, days) : silverLakeTable(snapshot, days));
  const ledger = await readLedger(context.warehouse, request);
  const days = daysOf(request, [snapshot, rebuilt], ledger);
  const silverFound = isWhole
    ? await silverDifferences(refinery, staging, { snapshot, rebuilt, listed }, request)
    : noDifferences;
  const gold = await compareRebuiltGold(context, { table, days, counted: countedDays(ledger) });
  const late = await lateDays(silver, { snapshot, ledger, days: gold.days });
  const cells = causesOf(gold, { silver: silverFound, late, request });
  const objects = isWhole ? await findMissingObjects(refinery, { snapshot, listed }) : [];
  const report = reportOf(request, {
    differences: [...silverFound.differences, ...cells],
    bronzeObjects: listed.length,
    days: days.length,
    silverVersion: snapshot.version,
    missing: { objects, records: silverFound.missingRecords },
  });
  const isNewRules = isWhole && isJudgedByOtherRules(snapshot);
  if (isNewRules) checkWhole(request, [...snapshot.partitions.keys(), ...rebuilt.partitions.keys()]);
  if (request.isDryRun || lacksBronze(report)) return report;
  await forgetLostCommits({ silver, warehouse: context.warehouse });
  if (report.equal && !isNewRules) return report;
  const version = await replaceDays({ ...refinery, staging }, { snapshot, found: silverFound, isNewRules });
  if (version === undefined) return undefined;
  const published = [...new Set([...silverFound.days, ...gold.days, ...editedDays(cells, ledger)])];
  await republishGold(context, { silver, version, days: published, counted: countedDays(ledger) });
  return { ...report, published: true, silverVersion: version };
}

const noDifferences: SilverDifferences = { differences: [], days: [], orders: new OrderMap(), missingRecords: [] };

async function silverDifferences(
  { store, silver, quarantine }: RefineContext,
  staging: StagingTables,
  { snapshot, rebuilt, listed }: { snapshot: Snapshot; rebuilt: Snapshot; listed: readonly BronzeObject[] },
  { from, to }: RebuildRequest,
): Promise<SilverDifferences> {
  const at = async (table: DeltaTable, { store: location }: { store: RefineContext["store"] }) => ({
    store: location,
    table,
    snapshot: await table.snapshot(),
  });
  const reasonsOf = await readReasons([await at(quarantine, { store }), await at(staging.quarantine, staging)]);
  return await compareSilver(
    {
      published: { store, table: silver, snapshot },
      rebuilt: { store: staging.store, table: staging.silver, snapshot: rebuilt },
    },
    { from, to, reasonsOf, findMissing: (records) => findMissingRecords(store, { listed, records }) },
  );
}

function stagingTable(staging: StagingTables, rebuilt: Snapshot, days: readonly string[]): LakeTable {
  const table = silverLakeTable(rebuilt, days);
  return { ...table, files: table.files.map((file) => staging.keyOf(file)) };
}

function daysOf({ from, to }: RebuildRequest, snapshots: readonly Snapshot[], ledger: readonly LedgerDay[]): string[] {
  const all = [...snapshots.flatMap(({ partitions }) => [...partitions.keys()]), ...ledger.map(({ day }) => day)];
  return [...new Set(all)].filter((day) => day >= from && day <= to).toSorted();
}

const countedDays = (ledger: readonly LedgerDay[]): Set<string> =>
  new Set(ledger.filter(({ hasCustomers }) => hasCustomers).map(({ day }) => day));

async function replaceDays(
  context: Parameters<typeof replaceSilver>[0],
  { snapshot, found, isNewRules }: { snapshot: Snapshot; found: SilverDifferences; isNewRules: boolean },
): Promise<number | undefined> {
  const { days, orders } = found;
  if (days.length === 0 && !isNewRules) return snapshot.version;
  // A rebuild that is killed before the commit finds the old rules again, and replaces the quarantine again.
  if (isNewRules) await replaceQuarantine(context);
  const version = await replaceSilver(context, { snapshot, days });
  if (version !== undefined && !isNewRules) await replaceQuarantined(context, orders);
  return version;
}

/** Throws if a rebuild with new rules leaves out days: silver would be judged partly by the old ones. */
function checkWhole({ from, to }: RebuildRequest, days: readonly string[]): void {
  if (days.every((day) => day >= from && day <= to)) return;
  throw new Error("the rules have changed since silver was made: rebuild all days, without --from and --to");
}

/**
 * Returns the days whose publish repairs edited gold rows: the row's own day, or the first published day of its month.
 */
function editedDays(cells: readonly Difference[], ledger: readonly LedgerDay[]): string[] {
  return cells
    .map(({ table, day }) =>
      day === null || !/month|performance|geographic/.test(table)
        ? day
        : ledger.find((shown) => shown.day.slice(0, 7) === day.slice(0, 7))?.day,
    )
    .filter((day): day is string => day !== null && day !== undefined);
}

/** Publishes days of one silver version even if gold already shows it, with rows by customer for the `counted` days. */
async function republishGold(
  gold: GoldContext,
  {
    silver,
    version,
    days,
    counted,
  }: { silver: DeltaTable; version: number; days: readonly string[]; counted: ReadonlySet<string> },
): Promise<void> {
  const snapshot = await silver.snapshot(version);
  const table = (windows: readonly string[]) => silverLakeTable(snapshot, windows);
  const again = { ...gold, isAgain: true };
  for (const windows of groupByMonth(days)) {
    await publishDays(again, { table: table(windows), windows, silverVersion: version });
  }
  const customers = days.filter((day) => counted.has(day));
  await publishCustomerDays(again, { table: table(customers), windows: customers, silverVersion: version });
  await gold.warehouse.query("select ops.repair_dimensions()::text");
}
