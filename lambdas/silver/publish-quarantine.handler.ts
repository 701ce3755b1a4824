import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openLake } from "../handlers/open-lake.ts";
import { publishQuarantine } from "./quarantine.ts";

const open = once(async () => openLake());

/** Adds to the quarantine what silver's commits refused. */
export const handler = createHandler(async () => await publishQuarantine(await open()));
