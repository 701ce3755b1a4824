/**
 * Draws docs/images/demo.svg, the terminal after `make demo`, from the transcript at the end of README.md.
 *
 *     make demo 2>&1 | node scripts/draw-demo.ts    replaces the transcript by this output, then draws it
 *     node scripts/draw-demo.ts --draw              draws the transcript that README.md holds
 *
 * test/project/english.test.ts compares the picture with the transcript. Needs no packages.
 */
import { readFileSync, writeFileSync } from "node:fs";

const readme = new URL("../README.md", import.meta.url);
const picture = new URL("../docs/images/demo.svg", import.meta.url);
const block = /```\n(\$ make demo\n[^]*?)\n```/;

/** Pixels: width of a character of the monospaced font at this size, and the distance of two lines. */
const character = 7.83;
const fontSize = 13;
const lineHeight = 18;
const padding = 22;
const titleBar = 34;

/** A name, padded to the width of that column in the demo's output, and the value. */
const keyFigure = /^([a-z ]{14} )(\S.*)$/;

/** The transcript in README.md from its prompt to the receipt's verdict; the hints after it are left out. */
export function transcriptOf(readmeText: string): string[] {
  const found = block.exec(readmeText)?.[1];
  if (found === undefined) throw new Error('README.md has no code block that begins with "$ make demo"');
  const lines = found.split("\n");
  const verdict = lines.findIndex((line) => line.startsWith("BALANCED"));
  if (verdict < 0) throw new Error("the transcript in README.md does not end with a receipt that balances");
  return lines.slice(0, verdict + 1);
}

/** An SVG with an opaque background, so that it is readable on light and dark pages. */
export function drawTerminal(lines: readonly string[]): string {
  const width = Math.ceil(Math.max(...lines.map(({ length }) => length)) * character) + 2 * padding;
  const height = titleBar + lines.length * lineHeight + 1.25 * padding;
  const text = lines.map((line, index) => {
    const top = titleBar + padding / 2 + (index + 0.75) * lineHeight;
    return line === "" ? "" : `  <text class="${styleOf(line)}" x="${padding}" y="${top}">${spans(line)}</text>\n`;
  });
  const lights = ["#ff6159", "#ffbd2e", "#28c941"].map(
    (color, index) => `  <circle cx="${padding + index * 20}" cy="${titleBar / 2}" r="6" fill="${color}"/>\n`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="The output of make demo. README.md has it as text.">
  <style>
    text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;white-space:pre;fill:#d7dce2}
    .command,.balanced{font-weight:bold;fill:#7ee787}
    .heading{font-weight:bold;fill:#f0c674}
    .rule{fill:#4b5563}
    .number{fill:#8ecbff}
    .title{fill:#8b949e}
  </style>
  <rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="#161b22" stroke="#6e7681"/>
  <path d="M1 ${titleBar}V10.5A9.5 9.5 0 0 1 10.5 1H${width - 10.5}A9.5 9.5 0 0 1 ${width - 1} 10.5V${titleBar}z" fill="#21262d"/>
${lights.join("")}  <text class="title" x="${width / 2}" y="${titleBar / 2 + 4.5}" text-anchor="middle">make demo</text>
${text.join("")}</svg>
`;
}

function styleOf(line: string): string {
  if (line.startsWith("$ ")) return "command";
  if (line.startsWith("BALANCED")) return "balanced";
  if (/^-+$/.test(line)) return "rule";
  return /^[A-Z]{3}/.test(line) ? "heading" : "plain";
}

/** The line, with the figure at its end marked: the numbers of the receipt, or the value beside a key figure's name. */
function spans(line: string): string {
  const [, label = line, figures = ""] = /^(\s*[a-z, ]+?)((?:\s+\d[\d,.]*)+)$/.exec(line) ?? keyFigure.exec(line) ?? [];
  return figures === "" ? escaped(label) : `${escaped(label)}<tspan class="number">${escaped(figures)}</tspan>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** What a reader sees of the output: no line of make or npm about packages, and the folder relative to the project. */
export function cleaned(output: string, folder: string): string {
  const lines = output.replaceAll(`${folder}/`, "").trimEnd().split("\n");
  const begin = lines.findIndex((line) => /^(?:creating|opening) /.test(line));
  if (begin < 0) throw new Error("this is not the output of make demo");
  return ["$ make demo", ...lines.slice(begin)].join("\n");
}

if (import.meta.main) {
  let text = readFileSync(readme, "utf8");
  if (process.argv[2] !== "--draw") {
    const output = cleaned(readFileSync(0, "utf8"), new URL("..", import.meta.url).pathname.replace(/\/$/, ""));
    text = text.replace(block, () => `\`\`\`\n${output}\n\`\`\``);
    writeFileSync(readme, text);
  }
  writeFileSync(picture, drawTerminal(transcriptOf(text)));
}
