/** Faults between a till and the stream that a run can inject. */
export const faultKinds = {
  duplicates: "the event is sent twice, the second time later",
  reorder: "the event is overtaken by later ones",
  late: "the event reaches the stream days after it was ordered",
  amended: "a revision with other lines follows",
  cancelled: "a revision that cancels the order follows",
  refunded: "a revision that refunds the order follows",
  conflict: "another payload follows under the same order and revision",
  malformed: "the event's bytes are damaged",
  unknown_pizza: "a line names a pizza that is not on the menu",
  future: "the till's clock runs decades ahead",
  gap: "the till lost an event before it: a sequence number is missing",
} as const;

export type FaultKind = keyof typeof faultKinds;

/** Share of events per fault kind, 0 to 1; an event has at most one fault. */
export type FaultRates = Partial<Record<FaultKind, number>>;

export type FaultTally = Record<FaultKind, number>;

export const faultNames: readonly FaultKind[] = Object.keys(faultKinds).filter(isFaultKind);

function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(faultKinds, name);
}

/** A tally of zeros. */
export function emptyTally(): FaultTally {
  return {
    duplicates: 0,
    reorder: 0,
    late: 0,
    amended: 0,
    cancelled: 0,
    refunded: 0,
    conflict: 0,
    malformed: 0,
    unknown_pizza: 0,
    future: 0,
    gap: 0,
  };
}

/** Rate of a fault named without one. */
const usualRate = 0.01;

/**
 * Parses `duplicates=0.05,late=0.01`, `all` or `all=0.02`. A name without rate gets 0.01, and later parts override
 * earlier ones. Throws on an unknown name and on a rate outside 0 to 1.
 */
export function parseFaults(text: string): FaultRates {
  const rates: FaultRates = {};
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "" || part === "none") continue;
    const [name = "", value] = part.split("=").map((piece) => piece.trim());
    const rate = value === undefined ? usualRate : readRate(part, value);
    if (name === "all") for (const kind of faultNames) rates[kind] = rate;
    else if (isFaultKind(name)) rates[name] = rate;
    else throw new Error(`fault "${name}" is unknown: choose from ${faultNames.join(", ")}, or all`);
  }
  checkRates(rates);
  return rates;
}

function readRate(part: string, value: string): number {
  const rate = value === "" ? Number.NaN : Number(value);
  if (!(rate >= 0 && rate <= 1)) throw new Error(`fault "${part}": the rate must be a number from 0 to 1`);
  return rate;
}

/** Throws if the rates add up to more than one fault per event. */
export function checkRates(rates: FaultRates): void {
  const sum = faultNames.reduce((total, kind) => total + (rates[kind] ?? 0), 0);
  if (sum > 1 + 1e-9) throw new Error(`faults ${JSON.stringify(rates)}: the rates add up to more than 1: lower them`);
}
