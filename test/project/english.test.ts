import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { drawTerminal, transcriptOf } from "../../scripts/draw-demo.ts";
import { privateWordsIn, proseOf, readableText, sentencesOf, wordsIn, type PrivateWord } from "./prose.ts";
import { projectFile } from "./project-file.ts";

const mostWords = 30;
const root = fileURLToPath(new URL("../../", import.meta.url));

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "data/README.md",
  "localstack/README.md",
  ...globSync("docs/**/*.md", { cwd: root }),
].toSorted();

/**
 * The migrations are left out: their checksums are stored, so they never change. This file and the mutants, which quote
 * the migrations, name the private words.
 */
const codeFiles = globSync(
  "{adapters,bench,bin,lambdas,lib,localstack,pipeline,producer,scripts,sql,step-functions,targets,test}/**/*.{ts,sql,asl.json}",
  { cwd: root, exclude: ["sql/migrations/**", "test/mutation/mutants/**", "test/project/english.test.ts"] },
).toSorted();

/**
 * Stored texts that cannot change: descriptions in the metadata of existing Delta tables, and the expression of an
 * alarm.
 */
const stored = [
  "Keyed token of the customer id; null where the guest gave none",
  "What was refused and why, in a sentence",
  "When silver refused it, UTC",
  "Events that silver refused, with their bytes, their place in the stream and the reason",
  "100 * refused / events",
];

/**
 * An event is rejected. "Refused" stays for connections, and for what another program or service does not accept: the
 * list before it is of their names.
 */
const rejected =
  /(?<!econn|connections? |connections? (?:is|are|was|were) |(?:proxy|server|bucket|store|postgresql|duckdb|sns|s3|kinesis|lambda|cloudformation|athena|rds|aws|cdk|npm|make)(?: would| may| then)? )refus(?:e|es|ed|ing|als?)(?! (?:(?:an?|the|all|every|new) )?connections?)/;

/** Each pattern is matched without regard to case; a space in it is any white space. */
const privateWords: PrivateWord[] = [
  [/embedded homes?/, "local pipeline"],
  [
    /(?:the|an?|each|every|this|that|which|whose|no|one|two|other|another|fresh|deployed|new|old|running|its|his) homes?(?![\w./-]| (?:folder|directory|page))/,
    "local pipeline, data directory, target or deployed pipeline",
  ],
  [/home's/, "the data directory's, or the pipeline's"],
  [/npx pizza/, "./pizza"],
  [/(?<![\w-])--home/, "--target"],
  [/whose event/, "event owner"],
  [/till remains/, "salvaged producer fields"],
  [/shown lines/, "silver at versions"],
  [/still mapping/, "read-only mapping"],
  [/(?<!a )look only|looks only|looked at only|only looks? at/, "read-only"],
  [/kept warehouses?/, "reconnecting warehouse"],
  [/people's (?:sql|queries)/, "ad-hoc queries"],
  [/side lakes?|l(?:ies|ie|ay) aside/, "staging tables"],
  [/(?:money )?at stake/, "quarantined amount"],
  [/(?:is|are|was|were|been|be) filed|filed (?:again|once|twice|under)/, "quarantined"],
  [/closings/, "resolutions"],
  [/given up|put away/, "sent to the on-failure destination, or dead letter"],
  [/on trial/, "test restore, or verify"],
  [/prove(?:s|d)? (?:a|the|each|every) (?:backup|copy)|(?:un)?proven (?:backup|copy|one)s?/, "verify, or verified"],
  [/clear(?:s|ed|ing)? away/, "vacuum, or delete"],
  [/erase(?:s|d)? remains|(?:its|the) remains/, "old versions"],
  [/customers?(?:'s?)? tokens?|tokens? of (?:an?|the|its|each|every) customers?|rows of a token/, "customer key"],
  [/ask(?:s|ed|ing)? (?:a|the|each|every) rules?/, "evaluate a rule"],
  [/accounted for|account for every/, "reconcile"],
  [/settled (?:hour|before)/, "low watermark"],
  [/(?:hurry|hurries|drains?|drained|draining)/, "flush"],
  [/waits? for company|waiting for company/, "maximum batching window, or waits for other events"],
  [/unheard/, "the response is lost"],
  [/words? too many/, "unknown argument"],
  [/looks like a guard/, "not a guard: a surviving mutant is expected because ..."],
  [/(?:is|are|was|were|been|be) woken|wakes? (?:somebody|people|nobody)/, "paged"],
  [/rubbish/, "corrupt, unreadable or malformed"],
  [/strangers?(?:'s?)?|somebody else's/, "another process's, or not created by ..."],
  [/by itself|by themselves/, "automatically"],
  [/of its own|of their own/, "separate"],
  // "refined anew" is a value in the output of `corrections --json`.
  [/(?<!refined )anew/, "again, or recreated, regenerated"],
  [/(?<!there )(?:is|are|was|were) none(?! of)/, "is not a ..., or there is no ..."],
  [/that which|next to no/, "what, or very few"],
  [/who wants to/, "to ..., or if you want to"],
  [rejected, "reject, rejection"],
].map(([pattern, instead]) => ({ pattern: wholeWords(pattern as RegExp), instead: instead as string }));

function wholeWords(pattern: RegExp): RegExp {
  const { source } = pattern;
  return new RegExp(`${/^\w/.test(source) ? "\\b" : ""}(?:${source.replaceAll(/ (?![?*])/g, "\\s+")})(?!\\w)`);
}

describe("the English of the documentation", () => {
  it(`has no sentence of more than ${mostWords} words`, () => {
    const long = pages.flatMap((page) => {
      return sentencesOf(projectFile(page))
        .filter((sentence) => wordsIn(sentence) > mostWords)
        .map((sentence) => `${page}: ${wordsIn(sentence)} words: ${sentence}`);
    });
    expect(long).toEqual([]);
  });

  it("uses the standard terms", () => {
    const found = pages.flatMap((page) => {
      return privateWordsIn(readableText(projectFile(page)), privateWords).map((line) => `${page}:${line}`);
    });
    expect(found).toEqual([]);
  });

  it("uses the standard terms in comments, messages and test titles too", () => {
    expect(codeFiles.length).toBeGreaterThan(100);
    const found = codeFiles.flatMap((path) => {
      const text = stored.reduce((rest, one) => rest.replaceAll(one, ""), projectFile(path));
      return privateWordsIn(proseOf(path, text), privateWords).map((place) => `${path}:${place}`);
    });
    expect(found).toEqual([]);
  });

  it("has a picture of the demo that matches its transcript; scripts/draw-demo.ts redraws it", () => {
    const transcript = transcriptOf(projectFile("README.md"));
    expect(projectFile("docs/images/demo.svg")).toBe(drawTerminal(transcript));
  });
});

describe("the check itself", () => {
  it("counts inline code and links as text, and table cells, list items and lines as a reader sees them", () => {
    const page = [
      "# A heading is not counted",
      "One `./pizza verify --json` two [three four](a.md#b).",
      "Five six",
      "seven?",
      "",
      "- Eight nine. Ten.",
      "| eleven | twelve \\| thirteen |",
      "```",
      "not counted either.",
      "```",
    ].join("\n");
    expect(sentencesOf(page)).toEqual([
      "One code two three four.",
      "Five six seven?",
      "Eight nine.",
      "Ten.",
      "eleven",
      "twelve \\| thirteen",
    ]);
    expect(sentencesOf(page).map(wordsIn)).toEqual([5, 3, 2, 1, 1, 2]);
  });

  it.each([
    ["opens the embedded home", "embedded home"],
    ["the home is open", "the home"],
    ["npx pizza demo", "npx pizza"],
    ["pizza --home aws", "--home"],
    ["money at stake", "money at stake"],
    ["the event was refused", "refused"],
    ["what silver refuses", "refuses"],
    ["batches that were given\nup", "given up"],
    ["it is restored on trial", "on trial"],
    ["works it out anew", "anew"],
    ["Rubbish counts", "Rubbish"],
  ])("finds the private word in %j", (text, word) => {
    expect(privateWordsIn(text, privateWords).join("\n")).toMatch(`"${word}"`);
  });

  it.each([
    ["the home folder of the user"],
    ["see home.json and logs/home.log"],
    ["the connection is refused; it refuses new connections"],
    ["PostgreSQL refuses root, and Lambda would refuse the value"],
    ["undefined where there is none"],
    ["refined anew"],
    ["none of these"],
    ["at the price"],
  ])("finds nothing in %j", (text) => {
    expect(privateWordsIn(text, privateWords)).toEqual([]);
  });

  it("reads comments and messages of code, and ignores names and keys", () => {
    const code = [
      "/** Events that were refused, see `refused`. */",
      'const refused = record["refused"];',
      'import { home } from "./refused.ts";',
      "throw new Error(`an order was refused: ${refused}`);",
    ].join("\n");
    expect(privateWordsIn(proseOf("a.ts", code), privateWords)).toEqual([
      '1: "refused": write reject, rejection',
      '4: "refused": write reject, rejection',
    ]);
    const sql = "select refused -- what was refused\nfrom rows where reason = 'refused' or 'the rows refused'";
    expect(privateWordsIn(proseOf("a.sql", sql), privateWords)).toHaveLength(2);
  });
});
