const mostCharacters = 500;

/**
 * A text that may be logged: at most 500 characters, and without what may quote an order. Cut out are JSON texts, the
 * values that PostgreSQL quotes after a colon or in a key, e-mail addresses and telephone numbers.
 */
export function safeText(text: string): string {
  const masked = text
    .replaceAll(/[[{]\s*\\?["{[][^]*/g, "…")
    .replaceAll(/(?:, )?(?:\.{3})?"[^]*"(?:\.{3})? is not valid JSON/g, ": the text is not valid JSON")
    .replaceAll(/: "[^]*?"(?=[\s.;,)]|$)/g, ': "…"')
    .replaceAll(/=\([^()]*\)/g, "=(…)")
    .replaceAll(/[^\s@"'<>(),;:]+@[^\s@"'<>(),;:]+/g, "…@…")
    .replaceAll(/\+\d[\d ()./-]{6,}\d/g, "+…");
  return masked.length <= mostCharacters ? masked : `${masked.slice(0, mostCharacters - 1)}…`;
}

/**
 * The error that a function may end with: the runtime logs it and the state machine keeps it. Its name stays, for who
 * branches on it; its message is safe, its stack has the places only, and its cause stays behind.
 */
export function safeError(error: unknown): Error {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const safe = new Error(safeText(message));
  safe.name = name;
  const places = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  safe.stack = [`${name}: ${safe.message}`, ...places].join("\n");
  return safe;
}
