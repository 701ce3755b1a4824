import { planWindows } from "../lambdas/gold/plan-windows.ts";
import { publishCustomers } from "../lambdas/gold/publish-customers.ts";
import { publishWindows } from "../lambdas/gold/publish-windows.ts";
import { compactTable } from "../lambdas/lake/compact.ts";
import type { LakeQuery, Warehouse } from "../lambdas/ports.ts";
import { publishQuarantine } from "../lambdas/silver/quarantine.ts";
import { refineSilver, type Refinery } from "../lambdas/silver/refine-silver.ts";
import { silverLakeTable } from "../lambdas/silver/tables.ts";
import { watermarkDate } from "../lambdas/silver/watermark.ts";
import type { Functions } from "./workflow-runner.ts";

/** What the workflows' functions work with. */
export interface FunctionContext {
  refinery: Refinery;
  lake: LakeQuery;
  warehouse: Warehouse;
  goldSql: GoldSql;
  /** Rows per customer follow after this pause at the earliest, unless a run asks for them. */
  customersEveryMs: number;
}

/** Texts of the lake SQL in `sql/gold/`. */
export type GoldSql = Parameters<typeof publishWindows>[0]["sql"] & Parameters<typeof publishCustomers>[0]["sql"];

const dayMs = 24 * 3_600_000;
/** Time travel reaches back this far; data files that no version names are kept as long as a slow writer may need. */
const retention = { logRetentionMs: 30 * dayMs, orphanRetentionMs: 7 * dayMs };

interface Plan {
  silverVersion: number;
  watermark: string | null;
  batches: { silverVersion: number; windows: string[] }[];
  customerBatches: string[][];
  customersDue: boolean;
}

/** The functions that the state machines name, in this process. On AWS each is a Lambda function of the same name. */
export function createFunctions({ refinery, lake, warehouse, goldSql, customersEveryMs }: FunctionContext): Functions {
  const { silver, quarantine, store, clock } = refinery;
  const gold = { lake, warehouse, sql: goldSql };
  let customersAt = 0;
  let cleanedAt = 0;

  return {
    RefineSilver: ({ sweep }: { sweep: "recent" | "full" }) => refineSilver(refinery, { sweep }),
    PublishQuarantine: () => publishQuarantine({ silver, quarantine }),
    async CompactSilver() {
      const compacted = await compactTable({ table: silver, store });
      if (clock() - cleanedAt < dayMs) return compacted;
      cleanedAt = clock();
      for (const table of [silver, quarantine]) await table.cleanUp(retention);
      return compacted;
    },

    async PlanWindows({ customers }: { customers: "now" | "when due" }): Promise<Plan> {
      const snapshot = await silver.snapshot();
      const plan = await planWindows(
        { warehouse },
        {
          snapshotVersion: snapshot.version,
          partitions: snapshot.partitions.keys(),
          changedSince: async (version) => (await silver.changes(version, snapshot.version))?.partitions,
        },
      );
      const isBehind = plan.customerBatches.length > 0 && clock() - customersAt >= customersEveryMs;
      return {
        silverVersion: plan.silverVersion,
        watermark: watermarkDate(snapshot) ?? null,
        batches: plan.batches.map((windows) => ({ silverVersion: plan.silverVersion, windows })),
        customerBatches: plan.customerBatches,
        customersDue: snapshot.version >= 0 && (customers === "now" || isBehind),
      };
    },

    async PublishWindows({ silverVersion, windows }: Plan["batches"][number]) {
      const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
      return await publishWindows(gold, { table, windows, silverVersion });
    },

    async PublishCustomers({ silverVersion, customerBatches }: Plan) {
      const snapshot = await silver.snapshot(silverVersion);
      const windows = customerBatches.flat();
      const published = await publishCustomers(gold, {
        table: silverLakeTable(snapshot, windows),
        windows,
        silverVersion,
      });
      customersAt = clock();
      return published;
    },

    async ReportWindows({ watermark }: Plan) {
      if (watermark === null) return { reported: 0 };
      const [row] = await warehouse.query<{ reported: string }>("select ops.report_windows($1::date) as reported", [
        watermark,
      ]);
      return { reported: Number(row?.reported ?? 0) };
    },
  };
}
