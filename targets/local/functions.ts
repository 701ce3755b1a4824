import { backUpWarehouse, snapshotDatabase } from "../../pipeline/backup/back-up-warehouse.ts";
import { verifyBackup } from "../../pipeline/backup/verify-backup.ts";
import { redriveLanding } from "../../pipeline/bronze/land-records.ts";
import type { Receipt } from "../../pipeline/domain/receipt.ts";
import { planWindows, type PublishingPlan, type WindowBatch } from "../../pipeline/gold/plan-windows.ts";
import { publishCustomers, publishWindows, type GoldSql } from "../../pipeline/gold/publish-windows.ts";
import { reportWindows } from "../../pipeline/gold/report-windows.ts";
import type {
  LakeQuery,
  Notifier,
  ObjectStore,
  OnProgress,
  TransactionalWarehouse,
  Warehouse,
} from "../../pipeline/ports.ts";
import { checkQuality } from "../../pipeline/quality/check-quality.ts";
import type { FailedReceipt, ReceiptPart } from "../../pipeline/quality/evaluate-rule.ts";
import { alertReceipt } from "../../pipeline/reconciliation/verify-receipt.ts";
import { publishQuarantine } from "../../pipeline/silver/quarantine-table.ts";
import { refineSilver, type RefineContext } from "../../pipeline/silver/refine-silver.ts";
import { compactSilver } from "../../pipeline/silver/tables.ts";
import type { Functions } from "./workflow-runner.ts";

/** Resources of the workflows' functions. */
export interface FunctionContext {
  refinery: RefineContext;
  onFailure: ObjectStore;
  lake: LakeQuery;
  warehouse: Warehouse;
  goldSql: GoldSql;
  /** Minimum interval between publications of the customer rows, unless a run requests them. */
  customersEveryMs: number;
  verify: () => Promise<Receipt>;
  /**
   * Backup store and the roles that copy the warehouse and test the restore; without it there is no workflow backup.
   */
  backup?: {
    store: ObjectStore;
    writer: TransactionalWarehouse;
    owner: TransactionalWarehouse;
    progress?: () => OnProgress;
  };
  /**
   * SQL of the quality rules by name, and the notifier for red rules and for a receipt that does not balance; without
   * it there is no workflow data_quality.
   */
  quality?: { sql: ReadonlyMap<string, string>; notifier: Notifier };
}

/** The functions of the state machines, in this process. On AWS each is a Lambda function of the same name. */
export function createFunctions(context: FunctionContext): Functions {
  const { refinery, onFailure, lake, warehouse, goldSql, customersEveryMs } = context;
  const { backup, quality } = context;
  const { silver, quarantine, store, stream, clock } = refinery;
  const gold = { silver, lake, warehouse, sql: goldSql, clock };
  type Sweep = { sweep: "recent" | "full" };

  return {
    RedriveLanding: () => redriveLanding({ store, onFailure, stream, clock }),
    RefineSilver: ({ sweep }: Sweep) => refineSilver(refinery, { sweep }),
    PublishQuarantine: () => publishQuarantine({ silver, quarantine }),
    CompactSilver: ({ sweep }: Sweep) => compactSilver({ silver, quarantine, store, clock }, { sweep }),
    PlanWindows: (input: { customers: "now" | "when due" }) =>
      planWindows({ store, stream, silver, warehouse, clock, customersEveryMs }, input),
    PublishWindows: (batch: WindowBatch) => publishWindows(gold, batch),
    PublishCustomers: (plan: PublishingPlan) => publishCustomers(gold, plan),
    ReportWindows: (plan: PublishingPlan) => reportWindows({ silver, warehouse, clock }, plan),
    ...(backup && backupFunctions(backup, { silver, clock })),
    ...(quality && qualityFunctions(quality, context)),
  };
}

function qualityFunctions(
  { sql: qualitySql, notifier }: NonNullable<FunctionContext["quality"]>,
  { refinery: { silver, catalog, clock }, lake, warehouse, verify }: FunctionContext,
): Functions {
  return {
    VerifyReceipt: () => alertReceipt({ verify, notifier }),
    CheckQuality: ({ receipt }: { receipt: ReceiptPart | FailedReceipt }) =>
      checkQuality({ silver, lake, warehouse, catalog, qualitySql, notifier, clock }, receipt),
  };
}

function backupFunctions(
  { store: backups, writer, owner, progress = () => () => {} }: NonNullable<FunctionContext["backup"]>,
  { silver, clock }: Pick<RefineContext, "silver" | "clock">,
): Functions {
  type Kept = { id: string; keepDays: number };
  return {
    BackUpWarehouse: () => backUpWarehouse({ backups, silver, clock, warehouse: writer, onProgress: progress() }),
    VerifyBackup: (kept: Kept) => verifyBackup({ backups, clock, warehouse: owner }, kept),
    // Snapshots exist only on Aurora.
    SnapshotDatabase: (kept: Kept) => snapshotDatabase({ snapshots: undefined, clock }, kept),
  };
}
