import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openOnFailure, openStore } from "../handlers/open-lake.ts";
import { orderStream } from "../silver/tables.ts";
import { redriveLanding } from "./redrive-landing.ts";

const open = once(async () => ({ store: openStore(), onFailure: openOnFailure(), stream: orderStream }));

/** Lands again what the event source mapping gave up; the first step of `bronze_to_silver`. */
export const handler = createHandler(
  async () => await redriveLanding(await open()),
  ({ records, unreadable }) => ({ RedrivenRecords: records, UnreadableBatches: unreadable.length }),
);
