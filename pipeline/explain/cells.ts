import type { Term } from "./terms.ts";

/** The value of a term; null if there were no lines. */
export type TermValue = bigint | string | null;

/** How a gold column is computed from terms. */
export interface Cell {
  terms: readonly Term[];
  /** The formula in words, with the names of the terms. */
  formula: string;
  /** Computes the cell's text as gold stores it; null for no value. */
  value(values: readonly TermValue[], key: readonly string[]): string | null;
}

/** The sum itself. */
export function total(term: Term): Cell {
  const formula = `sum of ${term.name}`;
  return { terms: [term], formula, value: ([value]) => showTerm(term, value ?? null) };
}

/** A value that is the same on all lines. */
export function label(term: Term): Cell {
  return { terms: [term], formula: `${term.name} of the lines`, value: ([value]) => showTerm(term, value ?? null) };
}

/** A value that depends only on the row's key. */
export function ofKey(formula: string, value: (key: readonly string[]) => string): Cell {
  return { terms: [], formula, value: (_, key) => value(key) };
}

/** `100 x part / whole`, two decimals. */
export function percent(part: Term, whole: Term): Cell {
  return {
    terms: [part, whole],
    formula: `100 x ${part.name} / ${whole.name}`,
    value: ([p, w]) => quotient(10_000n * amount(p), amount(w)),
  };
}

/** `part / whole`, two decimals. */
export function ratio(part: Term, whole: Term): Cell {
  const scale = part.unit === "cents" ? 1n : 100n;
  return {
    terms: [part, whole],
    formula: `${part.name} / ${whole.name}`,
    value: ([p, w]) => quotient(scale * amount(p), amount(w)),
  };
}

/** `100 x (now / before - 1)`, two decimals; null without a previous value. */
export function growth(now: Term, before: Term): Cell {
  return {
    terms: [now, before],
    formula: `100 x (${now.name} / ${before.name} - 1)`,
    value: ([n, b]) => (b === null ? null : quotient(10_000n * (amount(n) - amount(b)), amount(b))),
  };
}

/** `term / parts`, two decimals. */
export function share(term: Term, parts: bigint): Cell {
  return { terms: [term], formula: `${term.name} / ${parts}`, value: ([value]) => quotient(amount(value), parts) };
}

export function showTerm({ unit }: Term, value: TermValue): string | null {
  if (value === null) return null;
  if (unit === "moment") return new Date(String(value)).toISOString();
  return unit === "cents" ? showHundredths(BigInt(value)) : String(value);
}

export function amount(value: TermValue | undefined): bigint {
  return BigInt(value ?? 0);
}

function quotient(part: bigint, whole: bigint): string | null {
  const hundredths = divide(part, whole);
  return hundredths === undefined ? null : showHundredths(hundredths);
}

/** Returns `part / whole`, rounded half away from zero as PostgreSQL rounds numerics; undefined if `whole` is 0. */
export function divide(part: bigint, whole: bigint): bigint | undefined {
  if (whole === 0n) return undefined;
  const isNegative = part < 0n !== whole < 0n;
  const [p, w] = [part < 0n ? -part : part, whole < 0n ? -whole : whole];
  const rounded = (2n * p + w) / (2n * w);
  return isNegative ? -rounded : rounded;
}

/** Formats hundredths with two decimals: `-5n` is `-0.05`. */
export function showHundredths(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(3, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
