/** A private word of this project for something that has a standard term. */
export interface PrivateWord {
  pattern: RegExp;
  instead: string;
}

/** A code fence; an indented one belongs to a list. */
const fence = /^[ \t]*(`{3,}|~{3,})[^\n]*\n[^]*?^[ \t]*\1[ \t]*$/gm;
/** Ends a sentence: a full stop, question or exclamation mark, perhaps closed by a quote, bracket or emphasis. */
const sentenceEnd = /(?<=[.!?]["')\]*_]*)\s+/;

/**
 * The sentences of a page in Markdown, without code blocks and headings. Each cell of a table and each item of a list
 * is a separate paragraph; inline code is one word, and a link is its text.
 */
export function sentencesOf(markdown: string): string[] {
  const text = markdown
    .replaceAll(fence, "\n")
    .replaceAll(/<!--[^]*?-->/g, "")
    .replaceAll(/``.*?``|`(?:[^`\n]|\n(?!\n))*`/g, "code")
    .replaceAll(/!?\[((?:[^\][]|\[[^\]]*\])*)\]\([^)]*\)/g, "$1")
    .replaceAll(/<[^>\n]*>/g, "");
  return paragraphsOf(text)
    .flatMap((paragraph) => paragraph.replaceAll(/\s+/g, " ").trim().split(sentenceEnd))
    .filter((sentence) => wordsIn(sentence) > 0);
}

function paragraphsOf(text: string): string[] {
  const paragraphs = [""];
  for (const line of text.split("\n").map((one) => one.replace(/^\s*>\s?/, ""))) {
    const item = /^\s*(?:[-*+]|\d+\.)\s+(.*)$/.exec(line)?.[1];
    if (/^\s*\|/.test(line)) paragraphs.push(...line.split(/(?<!\\)\|/), "");
    else if (/^\s*(?:#|$)/.test(line)) paragraphs.push("");
    else if (item !== undefined) paragraphs.push(item);
    else paragraphs[paragraphs.length - 1] += ` ${line}`;
  }
  return paragraphs;
}

/** Words contain a letter or a digit; dashes and arrows do not count. */
export function wordsIn(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** The text of a page without inline code, link targets and tags. Code blocks are included because they show output. */
export function readableText(markdown: string): string {
  return markdown
    .replaceAll(/(?<!`)`[^`\n]+`(?!`)/g, "code")
    .replaceAll(/\]\([^)\s]*\)/g, "]")
    .replaceAll(/<a [^>\n]*>/g, "");
}

const pieces: Record<string, RegExp> = {
  ts: /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
  sql: /--[^\n]*|\/\*[^]*?\*\/|'(?:''|[^'])*'/g,
  json: /"(?:\\.|[^"\\\n])*"/g,
};

/**
 * The comments of a source file, and its strings of more than one word: names, keys, paths and identifiers are not
 * prose. Line numbers stay the same.
 */
export function proseOf(path: string, code: string): string {
  const kind = path.slice(path.lastIndexOf(".") + 1);
  let prose = "";
  let end = 0;
  for (const { 0: piece, index } of code.matchAll(pieces[kind]!)) {
    prose += code.slice(end, index).replaceAll(/[^\n]/g, "");
    const isComment = /^(?:\/[/*]|--)/.test(piece);
    const text = isComment ? piece.replaceAll(/`[^`\n]*`/g, "code") : piece.replaceAll(/\$\{[^}]*\}/g, "value");
    prose += isComment || /\S\s+\S/.test(piece) ? ` ${text} ` : "";
    end = index + piece.length;
  }
  return prose;
}

/** `line: the words found, and what to write instead`, one for each place. */
export function privateWordsIn(text: string, words: readonly PrivateWord[]): string[] {
  // A wrapped comment continues after the asterisk of the next line; a paragraph of a page, after the line's end.
  const joined = text.replaceAll(/\n(?:[ \t]*(?:\*|\/\/|--)[ \t]?)?/g, (line) => `\n${" ".repeat(line.length - 1)}`);
  return words.flatMap(({ pattern, instead }) =>
    [...joined.matchAll(new RegExp(pattern, "gi"))].map(({ 0: found, index }) => {
      const line = joined.slice(0, index).split("\n").length;
      return `${line}: "${found.replaceAll(/\s+/g, " ")}": write ${instead}`;
    }),
  );
}
