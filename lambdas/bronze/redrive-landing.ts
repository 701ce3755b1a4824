import { redriveLanding } from "../../pipeline/bronze/land-records.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openOnFailure, openStore } from "../runtime/resources.ts";

const open = lazy(async () => ({ store: openStore(), onFailure: openOnFailure(), stream: orderStream }));

/** Lands the batches in the on-failure destination again; the first step of `bronze_to_silver`. */
export const handler = createHandler(
  async (_: unknown, { until }) => await redriveLanding({ ...(await open()), until }),
  ({ records, unreadable }) => ({ RedrivenRecords: records, UnreadableBatches: unreadable.length }),
);
