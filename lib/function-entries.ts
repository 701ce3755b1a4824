/** A deployed function. */
export interface FunctionEntry {
  /** The handler's file, relative to the project root. */
  entry: string;
  /** Project files and folders to include in the bundle. */
  files?: readonly string[];
  usesLakeSql?: boolean;
}

const catalog = ["data/menu.json", "data/stores.json"];
const catalogFiles = [...catalog, "data/ingredient-costs.json"];

/** Every function by its placeholder name in the state machines. */
export const functionEntries = {
  LandRecords: { entry: "lambdas/bronze/land-records.ts" },
  RedriveLanding: { entry: "lambdas/bronze/redrive-landing.ts" },
  RefineSilver: { entry: "lambdas/silver/refine-silver.ts", files: catalog },
  PublishQuarantine: { entry: "lambdas/silver/publish-quarantine.ts" },
  CompactSilver: { entry: "lambdas/silver/compact-silver.ts" },
  PlanWindows: { entry: "lambdas/gold/plan-windows.ts" },
  PublishWindows: { entry: "lambdas/gold/publish-windows.ts", files: ["sql/gold"], usesLakeSql: true },
  PublishCustomers: { entry: "lambdas/gold/publish-customers.ts", files: ["sql/gold"], usesLakeSql: true },
  ReportWindows: { entry: "lambdas/gold/report-windows.ts" },
  CheckQuality: {
    entry: "lambdas/quality/check-quality.ts",
    files: [...catalog, "sql/checks"],
    usesLakeSql: true,
  },
  VerifyReceipt: {
    entry: "lambdas/quality/verify-receipt.ts",
    files: [...catalog, "sql/gold", "sql/checks"],
    usesLakeSql: true,
  },
  BackUpWarehouse: { entry: "lambdas/backup/back-up-warehouse.ts" },
  VerifyBackup: { entry: "lambdas/backup/verify-backup.ts" },
  SnapshotDatabase: { entry: "lambdas/backup/snapshot-database.ts" },
  RestoreBackup: { entry: "lambdas/backup/restore-backup.ts", files: catalogFiles },
  RecordLineage: { entry: "lambdas/lineage/record-lineage.ts" },
  StartWorkflow: { entry: "lambdas/workflows/start-workflow.ts" },
  MigrateWarehouse: { entry: "lambdas/gold/migrate-warehouse.ts", files: ["sql/migrations", ...catalogFiles] },
  RotatePassword: { entry: "lambdas/gold/rotate-password.ts" },
} as const satisfies Record<string, FunctionEntry>;

export type FunctionName = keyof typeof functionEntries;

/** The names of all functions. */
export const functionNames = Object.keys(functionEntries) as FunctionName[];
