import { openStepFunctions } from "../../adapters/step-functions.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { startWorkflow, type ScheduledStart } from "../../pipeline/workflows/start-workflow.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake, openOnFailure } from "../runtime/resources.ts";
import { jsonSetting } from "../runtime/settings.ts";

const open = lazy(async () => ({
  ...openLake(),
  onFailure: openOnFailure(),
  stream: orderStream,
  starter: openStepFunctions({ stateMachines: jsonSetting("STATE_MACHINES") }),
}));

/**
 * Adds nothing to what landing and publishing measure, but lets both be measured at every turn of a schedule: the alarms of
 * silence compare them with what comes, and a stage that stands still from its first day would have nothing to compare.
 */
const nothing = { LandedRecords: 0, PublishedWindows: 0 };

/** Starts a workflow for the schedule, unless it has run on the very same data this hour. */
export const handler = createHandler(
  async (start: ScheduledStart) => await startWorkflow(await open(), start),
  () => nothing,
);
