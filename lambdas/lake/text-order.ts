/** Longest text that goes into statistics, in UTF-16 units: enough to prune by, small enough to keep in a log. */
const statisticsLength = 32;

/** Orders two well-formed texts as their UTF-8 bytes do, which is how Parquet and Delta compare strings. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** UTF-16 puts surrogate pairs before U+E000, UTF-8 puts them after U+FFFF: swap the two ranges. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** A short text that is not above `text`. */
export function lowerBound(text: string): string {
  return text.slice(0, cutAt(text));
}

/** A short text that is not below `text`; the text itself where no short one is certain to be. */
export function upperBound(text: string): string {
  const cut = cutAt(text);
  if (cut === text.length || text.codePointAt(cut) === 0x10ffff) return text;
  return `${text.slice(0, cut)}\u{10ffff}`;
}

function cutAt(text: string): number {
  if (text.length <= statisticsLength) return text.length;
  const isInsidePair = (text.charCodeAt(statisticsLength) & 0xfc00) === 0xdc00;
  return isInsidePair ? statisticsLength - 1 : statisticsLength;
}
