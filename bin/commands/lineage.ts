import type { LineageDataset, LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import type { LineageQuery } from "../../pipeline/lineage/record-lineage.ts";
import { workflowNames } from "../../targets/pipeline-api.ts";
import { calendarDay, oneOf, wholeNumber, type Command, type Values } from "../options.ts";
import { count, print, printJson, say, textTable, UsageError } from "../output.ts";
import { prepareDeployed } from "../with-target.ts";
import { dayMs, utcDate } from "../../pipeline/domain/dates.ts";

export const lineage: Command = {
  summary: "show what each workflow run read and wrote, from OpenLineage events",
  examples: ["lineage --limit 5", "lineage --workflow silver_to_gold --since 2026-11-30"],
  usage: "lineage [--workflow NAME] [--since YYYY-MM-DD] [--limit N] [--json]",
  options: {
    workflow: { type: "string", about: `only runs of this workflow: ${workflowNames.join(", ")}` },
    since: { type: "string", about: "runs since this day, UTC (default: yesterday)" },
    limit: {
      type: "string",
      about: "how many of the newest events to read, plus the start events of their runs (default: 200)",
    },
  },
  async run(values) {
    const workflow = oneOf(values, "workflow", workflowNames);
    const limit = wholeNumber(values, "limit", { min: 1, max: 100_000 }) ?? 200;
    const since = dayOf(values["since"]) ?? utcDate(Date.now() - dayMs);
    const events = await eventsOf(values, { since, workflow, limit });
    if (values.json) return printJson(events);
    if (events.length === 0) say(`no workflow runs since ${since}: give an earlier --since`);
    else print(textTable(runsOf(events)));
  },
};

function dayOf(given: Values[string]): string | undefined {
  if (given === undefined) return undefined;
  const day = calendarDay(String(given));
  if (day !== undefined) return day;
  throw new UsageError(`--since ${given}: give a day, such as 2026-11-24`);
}

/** Needs neither PostgreSQL nor a running pipeline: the events are stored in the lake. */
async function eventsOf(values: Values, query: LineageQuery): Promise<LineageEvent[]> {
  if (values.target === "local") {
    const { readLocalLineage } = await import("../../targets/local/lineage.ts");
    return await readLocalLineage(values.dir, query);
  }
  prepareDeployed(values);
  const { readDeployedLineage } = await import("../../targets/aws/open.ts");
  return await readDeployedLineage(values.env, query);
}

/** One row per run: how it ended, what it read and what it wrote. */
function runsOf(events: readonly LineageEvent[]): Record<string, unknown>[] {
  const runs = Map.groupBy(events, ({ run }) => run.runId);
  return [...runs.values()].map((changes) => {
    const [first, last] = [changes[0]!, changes.at(-1)!];
    const { message } = (last.run.facets["errorMessage"] ?? {}) as { message?: string };
    return {
      began: first.eventTime,
      workflow: last.job.name,
      state: last.eventType,
      ms: first === last ? "" : Date.parse(last.eventTime) - Date.parse(first.eventTime),
      read: describeAll(last.inputs),
      wrote: message ?? describeAll(last.outputs),
    };
  });
}

/** Gold tables are listed as one dataset. */
function describeAll(datasets: readonly LineageDataset[]): string {
  const [gold, others] = [true, false].map((wanted) =>
    datasets.filter(({ name }) => name.includes(".gold.") === wanted),
  ) as [LineageDataset[], LineageDataset[]];
  const tables = gold.length === 0 ? [] : [describe({ ...gold[0]!, name: `${gold.length} tables of gold` })];
  return [...others.map(describe), ...tables].join(", ");
}

/** A dataset as `silver/order_lines v3 (1,204 rows)`, with the last two parts of its path. */
function describe({ name, facets, inputFacets, outputFacets }: LineageDataset): string {
  const { datasetVersion } = (facets["version"] ?? {}) as { datasetVersion?: string };
  const { rowCount, fileCount } = (inputFacets?.["inputStatistics"] ?? outputFacets?.["outputStatistics"] ?? {}) as {
    rowCount?: number;
    fileCount?: number;
  };
  const counted = rowCount === undefined ? counts(fileCount, "files") : counts(rowCount, "rows");
  return [name.split("/").slice(-2).join("/"), datasetVersion && `v${datasetVersion}`, counted]
    .filter(Boolean)
    .join(" ");
}

const counts = (number: number | undefined, things: string) => number !== undefined && `(${count(number)} ${things})`;
