/** A function that is deployed: its handler, the project's files that it reads, and whether it runs SQL on the lake. */
export interface FunctionEntry {
  /** The handler's file, from the project's root. */
  entry: string;
  /** Files and folders of the project that lie beside the code. */
  files?: readonly string[];
  usesLakeSql?: boolean;
}

const catalog = ["data/menu.json", "data/stores.json"];

/** Every function by the name that the state machines give it. */
export const functionEntries = {
  LandRecords: { entry: "lambdas/bronze/land-records.handler.ts" },
  RedriveLanding: { entry: "lambdas/bronze/redrive-landing.handler.ts" },
  RefineSilver: { entry: "lambdas/silver/refine-silver.handler.ts", files: catalog },
  PublishQuarantine: { entry: "lambdas/silver/publish-quarantine.handler.ts" },
  CompactSilver: { entry: "lambdas/silver/compact-silver.handler.ts" },
  PlanWindows: { entry: "lambdas/gold/plan-windows.handler.ts" },
  PublishWindows: { entry: "lambdas/gold/publish-windows.handler.ts", files: ["sql/gold"], usesLakeSql: true },
  PublishCustomers: { entry: "lambdas/gold/publish-customers.handler.ts", files: ["sql/gold"], usesLakeSql: true },
  ReportWindows: { entry: "lambdas/gold/report-windows.handler.ts" },
  CheckQuality: {
    entry: "lambdas/quality/check-quality.handler.ts",
    files: [...catalog, "sql/checks"],
    usesLakeSql: true,
  },
  VerifyReceipt: {
    entry: "lambdas/quality/verify-receipt.handler.ts",
    files: [...catalog, "sql/gold", "sql/checks"],
    usesLakeSql: true,
  },
  BackUpWarehouse: { entry: "lambdas/backup/back-up-warehouse.handler.ts" },
  ProveBackup: { entry: "lambdas/backup/prove-backup.handler.ts" },
  SnapshotDatabase: { entry: "lambdas/backup/snapshot-database.handler.ts" },
  RestoreBackup: { entry: "lambdas/backup/restore-backup.handler.ts" },
  RecordLineage: { entry: "lambdas/lineage/record-lineage.handler.ts" },
  StartWorkflow: { entry: "lambdas/workflows/start-workflow.handler.ts" },
  MigrateWarehouse: { entry: "lambdas/gold/migrate-warehouse.handler.ts", files: ["sql/migrations"] },
  RotatePassword: { entry: "lambdas/gold/rotate-password.handler.ts" },
} as const satisfies Record<string, FunctionEntry>;

export type FunctionName = keyof typeof functionEntries;

/** The names of all functions. */
export const functionNames = Object.keys(functionEntries) as FunctionName[];
