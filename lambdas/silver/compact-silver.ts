import { compactSilver } from "../../pipeline/silver/tables.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake } from "../runtime/resources.ts";

const open = lazy(async () => openLake());

/** Compacts silver's small files and vacuums files that no retained version needs. */
export const handler = createHandler(
  async ({ sweep }: { sweep: "recent" | "full" }, { until }) => await compactSilver(await open(), { sweep, until }),
);
