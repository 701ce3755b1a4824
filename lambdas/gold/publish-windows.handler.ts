import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openPublishing } from "../handlers/open-publishing.ts";
import type { WindowBatch } from "./plan-publishing.ts";
import { publishBatch } from "./publish-plan.ts";

const open = once(openPublishing);

/** Publishes one batch of days to gold, in one transaction. */
export const handler = createHandler(
  async (batch: WindowBatch) => await publishBatch(await open(), batch),
  ({ published, corrections }) => ({ PublishedWindows: published, Corrections: corrections }),
);
