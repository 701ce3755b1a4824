import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openLake } from "../handlers/open-lake.ts";
import { compactSilver } from "./compact-silver.ts";

const open = once(async () => openLake());

/** Joins silver's small files, and clears away what no kept version needs. */
export const handler = createHandler(
  async (input: { sweep: "recent" | "full" }) => await compactSilver(await open(), input),
);
