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
  RestoreBackup: { entry: "lambdas/backup/restore-backup.ts" },
  RecordLineage: { entry: "lambdas/lineage/record-lineage.ts" },
  StartWorkflow: { entry: "lambdas/workflows/start-workflow.ts" },
  MigrateWarehouse: { entry: "lambdas/gold/migrate-warehouse.ts", files: ["sql/migrations"] },
  RotatePassword: { entry: "lambdas/gold/rotate-password.ts" },
} as const satisfies Record<string, FunctionEntry>;

export type FunctionName = keyof typeof functionEntries;

/** The names of all functions. */
export const functionNames = Object.keys(functionEntries) as FunctionName[];
