import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { scriptOptions } from "../scripts/script-options.ts";
import { aimsText, compareWithAims } from "./aims.ts";
import { caseNames, usualCases, type CaseResult, type Size } from "./case.ts";
import { describeMachine } from "./machine.ts";
import { measureCase } from "./measure-case.ts";
import { caseText, machineText } from "./report.ts";

const full: Size = { lines: 1_000_000, rounds: 5, freshnessSeconds: 30 };
const quick: Size = { lines: 100_000, rounds: 3, freshnessSeconds: 8 };

const usage = `npm run bench -- [--only ${caseNames.join(",")}] [--quick] [--json] [--dir DIR]

  --only   cases to run, separated by commas (default: all but backlog)
  --quick  a tenth of the data and three rounds, to test the benchmark itself
  --json   print one JSON document on stdout
  --dir    folder in which to keep the prepared data for the next run`;

const { names, isQuick, isJson, kept } = scriptOptions(
  {
    usage,
    options: {
      only: { type: "string" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      dir: { type: "string" },
    },
  },
  ({ only, quick: wantsQuick, json, dir }) => {
    const chosen = typeof only === "string" ? only.split(",") : usualCases;
    const unknown = chosen.find((name) => !caseNames.includes(name));
    if (unknown !== undefined) throw new Error(`case ${unknown} is unknown: choose from ${caseNames.join(", ")}`);
    return { names: chosen, isQuick: wantsQuick === true, isJson: json === true, kept: dir as string | undefined };
  },
);
await main();

async function main(): Promise<void> {
  const dir = kept === undefined ? mkdtempSync(join(tmpdir(), "pizza-bench-")) : resolve(kept);
  mkdirSync(dir, { recursive: true });
  const machine = describeMachine();
  if (!isJson) console.log(`${machineText(machine)}\n`);
  const results: CaseResult[] = [];
  try {
    for (const name of names) {
      const setting = { dir, size: isQuick ? quick : full };
      results.push(await measureCase(name, setting, (text) => progress(`${name}: ${text}`)));
      if (!isJson) console.log(`${caseText(results.at(-1)!)}\n`);
    }
  } finally {
    if (kept === undefined) rmSync(dir, { recursive: true, force: true });
  }
  const aims = compareWithAims(results);
  if (isJson) console.log(JSON.stringify({ machine, quick: isQuick, results, aims }, undefined, 2));
  else console.log(aimsText(aims));
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  else console.error(text);
}
