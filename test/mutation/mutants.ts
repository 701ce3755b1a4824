import type { Mutant } from "./mutant.ts";
import { adapterMutants } from "./mutants/adapters.ts";
import { backupMutants } from "./mutants/backup.ts";
import { framingMutants } from "./mutants/framing.ts";
import { goldMutants } from "./mutants/gold.ts";
import { lakeMutants } from "./mutants/lake.ts";
import { landingMutants } from "./mutants/landing.ts";
import { rebuildMutants } from "./mutants/rebuild.ts";
import { receiptMutants } from "./mutants/receipt.ts";
import { setAsideMutants } from "./mutants/set-aside.ts";
import { silverMutants } from "./mutants/silver.ts";
import { streamMutants } from "./mutants/stream.ts";
import { warehouseMutants } from "./mutants/warehouse.ts";

/** Every guard that is broken on purpose, by layer. */
export const mutants: Readonly<Record<string, readonly Mutant[]>> = {
  "Producer and stream": streamMutants,
  Landing: landingMutants,
  "Records and events": framingMutants,
  Silver: silverMutants,
  "Objects set aside": setAsideMutants,
  "Delta tables": lakeMutants,
  Gold: goldMutants,
  "Lake SQL and warehouse": warehouseMutants,
  "Stores, services and the local pipeline": adapterMutants,
  "The receipt": receiptMutants,
  Backups: backupMutants,
  Rebuild: rebuildMutants,
};

/** All of them. */
export const allMutants: readonly Mutant[] = Object.values(mutants).flat();
