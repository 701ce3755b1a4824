/** Limits of what is let in. Bytes and counts; each has a reason code of its own. */
export const limits = {
  /** One event, bytes of its JSON text. */
  eventBytes: 64 * 1024,
  /** One batch, unpacked. */
  batchBytes: 16 * 1024 * 1024,
  /** Nesting of objects and arrays. */
  depth: 16,
  /** Lines of one order; the contract's `maxItems` says the same. */
  lines: 200,
  /** How far a till's clock may run ahead of the stream's, microseconds. */
  futureMicros: 5 * 60 * 1_000_000,
} as const;
