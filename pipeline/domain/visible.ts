/** Control and format characters, line and paragraph separators, and lone surrogates. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Shows characters that a reader cannot see, or that a terminal obeys, as escapes such as `\\u001b`. Among them are the
 * C0 and C1 controls, and those that change the direction of text. Line breaks stay.
 */
export function visible(text: string): string {
  return text.replace(invisible, (character) => {
    if (character === "\n") return character;
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}
