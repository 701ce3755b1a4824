import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openPublishing } from "../handlers/open-publishing.ts";
import type { PublishingPlan } from "./plan-publishing.ts";
import { publishPlannedCustomers } from "./publish-plan.ts";

const open = once(openPublishing);

/** Publishes the rows per customer of the plan's days. */
export const handler = createHandler(
  async (plan: PublishingPlan) => await publishPlannedCustomers(await open(), plan),
  ({ corrections }) => ({ Corrections: corrections }),
);
