const mostCents = 10_000_00 * 100 * 200;

/**
 * What an event says its order is worth, whole cents: quantity × unit price of every line, 0 for a cancelled or refunded
 * order. Undefined where its lines cannot be read as numbers.
 */
export function moneyAtStake(payload: string): number | undefined {
  let event: unknown;
  try {
    event = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const { lines, status } = Object(event) as { lines?: unknown; status?: unknown };
  if (!Array.isArray(lines)) return undefined;
  if (status === "cancelled" || status === "refunded") return 0;
  let cents = 0;
  for (const line of lines) {
    const { quantity, unit_price } = Object(line) as { quantity?: unknown; unit_price?: unknown };
    if (typeof quantity !== "number" || typeof unit_price !== "number") return undefined;
    cents += quantity * Math.round(unit_price * 100);
  }
  return Number.isSafeInteger(cents) && Math.abs(cents) <= mostCents ? cents : undefined;
}
