import type { Receipt } from "../../pipeline/domain/receipt.ts";
import type { FaultKind } from "../../producer/fault-kinds.ts";

/** One exercise on a running pipeline. */
export interface Drill {
  /** What it does, one sentence. */
  does: string;
  orders: number;
  /** Orders a second. */
  rate: number;
  /** The fault of every order; without it the orders are in order. */
  fault?: FaultKind;
  /** What breaks while the orders are on their way. */
  breaks?: "landing" | "postgres";
}

/** What can be practised on a running pipeline. The orders are simulated, and stay in its numbers. */
export const drills = {
  burst: { does: "2,000 orders arrive within two seconds", orders: 2000, rate: 1000 },
  duplicates: { does: "40 orders arrive, and each event arrives twice", orders: 40, rate: 200, fault: "duplicates" },
  late: { does: "40 orders arrive up to two weeks late", orders: 40, rate: 200, fault: "late" },
  cancelled: { does: "40 orders arrive, then all of them are cancelled", orders: 40, rate: 200, fault: "cancelled" },
  rejected: {
    does: "10 orders arrive for a pizza that is not on the menu",
    orders: 10,
    rate: 200,
    fault: "unknown_pizza",
  },
  landing: {
    does: "landing fails for four seconds while 400 orders arrive: before it writes, or after it has written",
    orders: 400,
    rate: 200,
    breaks: "landing",
  },
  postgres: {
    does: "PostgreSQL is killed while 400 orders arrive",
    orders: 400,
    rate: 200,
    breaks: "postgres",
  },
} as const satisfies Record<string, Drill>;

export type DrillName = keyof typeof drills;

export const drillNames = Object.keys(drills) as [DrillName, ...DrillName[]];

/** One row of the receipt around a drill; `promised` is by how much it must grow. `cents` are US cents. */
export interface DrillRow {
  name: string;
  unit: "count" | "cents";
  before: number;
  after: number;
  promised: number;
}

/** What a drill sent and broke, and how the receipt took it. */
export interface DrillReport {
  drill: DrillName;
  does: string;
  /** What broke, and for how long; null if nothing did. */
  broke: string | null;
  rows: DrillRow[];
  /** Events that other tills sent meanwhile. If there are any, the rows say less, and only the receipt counts. */
  otherEvents: number;
  /** Seconds from the first event until all were acknowledged, and until all were in gold. */
  seconds: { sent: number; inGold: number };
  receipt: Receipt;
  /** Whether the receipt found nothing that it had not found before, and every row grew by what was promised. */
  isKept: boolean;
}
