import type { QualitySummary } from "../../pipeline/quality/check-quality.ts";
import { StreamDamaged } from "../../targets/local/stream/segment.ts";
import { workflowNames } from "../../targets/pipeline-api.ts";
import { wholeNumber, type Command, type Values } from "../options.ts";
import { jsonText, print, printJson, say, textTable, UsageError } from "../output.ts";
import { receiptTable } from "../receipt-table.ts";
import { lakeSqlOption, withPipeline, withReadOnlyPipeline, withProgress } from "../with-target.ts";

export const verify: Command = {
  summary: "reconcile every record from the stream to gold (exit code 3 if the receipt does not balance)",
  examples: ["verify", "verify --target aws --lake-sql duckdb"],
  usage: "verify [--json] [--dir DIR] [--lake-sql athena|duckdb]",
  options: lakeSqlOption,
  async run(values) {
    const receipt = await withReadOnlyPipeline(values, (pipeline) => withProgress(pipeline, pipeline.verify())).catch(
      (error: unknown) => sayDamage(error, values),
    );
    if (receipt === undefined) return 3;
    if (values.json) printJson({ balanced: receipt.findings.length === 0, ...receipt });
    else print(receiptTable(receipt));
    return receipt.findings.length === 0 ? 0 : 3;
  },
};

/** A damaged stream keeps the pipeline from opening: for `verify` that is a finding, not a failure. */
function sayDamage(error: unknown, { json }: Values): undefined {
  if (!(error instanceof StreamDamaged)) throw error;
  say(`pizza: DOES NOT BALANCE: ${error.message}`);
  if (json) printJson({ error: { message: error.message, exitCode: 3 } });
}

export const query: Command = {
  summary: "run SQL on gold, or on silver and the quarantine with --lake",
  examples: [
    'query "select * from gold.hourly_trends limit 5"',
    'query --lake --version 3 "select count(*) from silver_order_lines"',
  ],
  usage: 'query "<sql>" [--lake] [--version N] [--json]',
  mostWords: 1,
  options: {
    lake: { type: "boolean", about: "query the lake: tables silver_order_lines and quarantine_order_events" },
    version: { type: "string", about: "read silver at this version (with --lake)" },
    ...lakeSqlOption,
  },
  async run(values, [sql]) {
    if (sql === undefined || sql.trim() === "") throw new UsageError(`no SQL given\nusage: ./pizza ${query.usage}`);
    const version = wholeNumber(values, "version", { min: 0, max: Number.MAX_SAFE_INTEGER });
    const lake = values["lake"] === true;
    if (version !== undefined && !lake) throw new UsageError("--version works only on the lake: add --lake");
    const rows = await withReadOnlyPipeline(values, (pipeline) => pipeline.query({ sql, lake, version }));
    if (values.json) printJson(rows);
    else print(textTable(rows));
  },
};

export const run: Command = {
  summary: `run a workflow now (${workflowNames.join(", ")})`,
  examples: ["run data_quality", "run silver_to_gold --json"],
  usage: "run <workflow> [--json]",
  mostWords: 1,
  async run(values, [workflow]) {
    if (workflow === undefined) {
      throw new UsageError(`no workflow given: choose one of ${workflowNames.join(", ")}\nusage: ./pizza ${run.usage}`);
    }
    if (!workflowNames.includes(workflow)) {
      throw new UsageError(`workflow ${workflow} is unknown: choose one of ${workflowNames.join(", ")}`);
    }
    const result = await withPipeline(values, (pipeline) => pipeline.run({ workflow }));
    if (values.json) printJson(result);
    else {
      say(`${workflow} took ${result.milliseconds} ms`);
      print(jsonText(result.output));
    }
    return workflow === "data_quality" ? verdict(result.output) : 0;
  },
};

/** Prints the findings of data_quality that need attention; returns the exit code. */
function verdict(output: Record<string, unknown>): number {
  const { receipt, quality } = output as { receipt?: { balanced: boolean }; quality?: QualitySummary };
  const red = (quality?.results ?? []).filter(({ isRed, severity }) => isRed && severity === "error");
  if (receipt?.balanced === false) say("the receipt does not balance: ./pizza verify shows it");
  if (red.length > 0) say(`red: ${red.map(({ name }) => name).join(", ")}: ./pizza quality shows the offenders`);
  return receipt?.balanced === false || red.length > 0 ? 3 : 0;
}
