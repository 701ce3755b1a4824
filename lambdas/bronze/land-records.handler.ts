import type { KinesisStreamEvent } from "aws-lambda";
import { kinesisRecords } from "../adapters/kinesis-event.ts";
import { openS3Store } from "../adapters/s3-store.ts";
import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { setting } from "../handlers/settings.ts";
import { orderStream } from "../silver/tables.ts";
import { landRecords } from "./land-records.ts";

const openStore = once(async () => openS3Store({ bucket: setting("LAKE_BUCKET") }));

/** Lands the records of one invocation of the event source mapping: all of them, or an error and none. */
export const handler = createHandler(
  async (event: KinesisStreamEvent) =>
    await landRecords({ store: await openStore(), stream: orderStream }, kinesisRecords(event)),
  ({ records, bytes }) => ({ LandedRecords: records, LandedBytes: bytes }),
);
