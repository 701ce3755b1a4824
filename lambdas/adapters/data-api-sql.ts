/**
 * What may stand in PostgreSQL's SQL around a parameter: escape strings, names (which may hold a `$`), strings, quoted
 * names, comments, dollar-quoted bodies. The last alternative is the parameter.
 */
const tokens =
  /[eE]'(?:[^'\\]|\\[^]|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\$((?:[A-Za-z_]\w*)?)\$[^]*?\$\1\$|\$(\d+)/g;

/**
 * PostgreSQL's SQL with every parameter `$1`, `$2`, … replaced by what `expressionOf` gives for its number, as the
 * Data API knows only parameters with names. A `$1` within a string, a dollar-quoted body or a comment is text and stays.
 */
export function replaceParameters(sql: string, expressionOf: (number: number) => string): string {
  return sql.replace(tokens, (token: string, _tag: unknown, number: string | undefined) =>
    number === undefined ? token : expressionOf(Number(number)),
  );
}
