import { expect, it } from "vitest";
import { visible } from "../../../pipeline/domain/visible.ts";

it.each([
  ["an escape sequence", "\u001b[31mred", "\\u001b[31mred"],
  ["a carriage return, a tab, a bell and a backspace", "a\rb\tc\u0007d\b", "a\\u000db\\u0009c\\u0007d\\u0008"],
  ["a delete and a control of one byte", "a\u007f\u009b31m", "a\\u007f\\u009b31m"],
  ["overrides of the direction", "a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"],
  ["line and paragraph separators", "a\u2028b\u2029", "a\\u2028b\\u2029"],
  ["characters without a glyph", "a\u200bb\ufeffc\u00add\u{e0041}", "a\\u200bb\\ufeffc\\u00add\\u{e0041}"],
  ["half of a pair", "a\ud800", "a\\ud800"],
])("shows %s", (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

it("leaves text and line breaks as they are", () => {
  const text = 'Crème brûlée "5 €" 比萨 🍕\nsecond line \\u001b';
  expect(visible(text)).toBe(text);
});
