import { classicYear } from "../../bin/commands/send.ts";
import { readStores } from "../../adapters/project-files.ts";
import { withFaults } from "../../producer/faults.ts";
import type { Outgoing } from "../../producer/batch-builder.ts";
import type { StoreProfile } from "../../producer/tills.ts";

/** The classic year's totals; no fault of `wildYear` may change them. */
export const classicTotals = { orders: 21_350, lines: 48_620, pizzas: 49_574, cents: 81_786_005 };

/** Faults that do not change the totals: duplicates, late, reordered and conflicting events. */
const faults = { duplicates: 0.05, reorder: 0.02, late: 0.02, conflict: 0.01 };

/** The classic year as sent by unreliable tills, with malformed events in between. */
export function wildYear(seed: number): Outgoing[] {
  const stores = readStores<StoreProfile>();
  const events = withFaults(classicYear(), { ...faults, seed, stores });
  return [...events].flatMap((event, index) => (index % 500 === 0 ? [event, garbage(event)] : [event]));
}

/** The first half of an event's bytes, with the same till. */
function garbage({ producerId, bytes }: Outgoing): Outgoing {
  return { producerId, bytes: bytes.subarray(0, bytes.length / 2), fault: "malformed" };
}
