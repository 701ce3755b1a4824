import { publishQuarantine } from "../../pipeline/silver/quarantine-table.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake } from "../runtime/resources.ts";

const open = lazy(async () => openLake());

/** Adds the events that silver's commits rejected to the quarantine table. */
export const handler = createHandler(async () => await publishQuarantine(await open()));
