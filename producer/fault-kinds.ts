/** What can go wrong between a till and the stream, and how often a run lets it. */

export const faultKinds = {
  duplicates: "the event is sent twice, the second time a little later",
  reorder: "the event is overtaken by later ones",
  late: "the event reaches the stream days after it was ordered",
  amended: "a revision with other lines follows",
  cancelled: "a revision that cancels the order follows",
  refunded: "a revision that refunds the order follows",
  conflict: "another payload follows under the same order and revision",
  malformed: "the event's bytes are damaged",
  unknown_pizza: "a line names a pizza that is not on the menu",
  future: "the till's clock runs decades ahead",
  gap: "the till lost an event before it: a number is missing",
} as const;

export type FaultKind = keyof typeof faultKinds;

/** Share of the events that each kind befalls, 0 to 1; an event suffers one fault at most. */
export type FaultRates = Partial<Record<FaultKind, number>>;

export type FaultTally = Record<FaultKind, number>;

export const faultNames: readonly FaultKind[] = Object.keys(faultKinds).filter(isFaultKind);

function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(faultKinds, name);
}

/** Nothing injected yet. */
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

const usualRate = 0.01;

/**
 * Reads `duplicates=0.05,late=0.01`, `all` or `all=0.02`; a name without a rate gets one event in a hundred, and a
 * later part overrules an earlier one. Throws on an unknown name and on a rate outside 0 to 1.
 */
export function parseFaults(text: string): FaultRates {
  const rates: FaultRates = {};
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "" || part === "none") continue;
    const [name = "", value] = part.split("=").map((piece) => piece.trim());
    const rate = value === undefined ? usualRate : readRate(part, value);
    if (name === "all") for (const kind of faultNames) rates[kind] = rate;
    else if (isFaultKind(name)) rates[name] = rate;
    else throw new Error(`fault "${name}" is not known: choose from ${faultNames.join(", ")}, or all`);
  }
  checkRates(rates);
  return rates;
}

function readRate(part: string, value: string): number {
  const rate = value === "" ? Number.NaN : Number(value);
  if (!(rate >= 0 && rate <= 1)) throw new Error(`fault "${part}": the rate must be a number from 0 to 1`);
  return rate;
}

/** Throws where the rates add up to more than one fault an event. */
export function checkRates(rates: FaultRates): void {
  const sum = faultNames.reduce((total, kind) => total + (rates[kind] ?? 0), 0);
  if (sum > 1 + 1e-9) throw new Error(`faults ${JSON.stringify(rates)}: the rates add up to more than 1; lower them`);
}
