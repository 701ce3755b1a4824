/** Exact arithmetic of gold's numbers: whole hundredths, rounded as PostgreSQL rounds numerics, half away from zero. */

/** `part / whole` as a whole number; undefined where there is nothing to divide by. */
export function divide(part: bigint, whole: bigint): bigint | undefined {
  if (whole === 0n) return undefined;
  const isNegative = part < 0n !== whole < 0n;
  const [p, w] = [part < 0n ? -part : part, whole < 0n ? -whole : whole];
  const rounded = (2n * p + w) / (2n * w);
  return isNegative ? -rounded : rounded;
}

/** Hundredths as text with two decimals: `-5n` is `-0.05`. */
export function showHundredths(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(3, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
