import type { LineageDataset, LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import type { LineageQuery } from "../../pipeline/lineage/record-lineage.ts";
import { workflowNames } from "../../targets/pipeline-api.ts";
import { calendarDay, oneOf, wholeNumber, type Command, type Values } from "../options.ts";
import { count, print, printJson, say, textTable, UsageError } from "../output.ts";
import { prepareDeployed } from "../with-target.ts";
import { dayMs, utcDate } from "../../pipeline/domain/dates.ts";

export const lineage: Command = {
  summary: "what each run of a workflow read and wrote, as OpenLineage events",
  usage: "lineage [--workflow NAME] [--since YYYY-MM-DD] [--limit N] [--json]",
  options: {
    workflow: { type: "string", about: `runs of this workflow only: ${workflowNames.join(", ")}` },
    since: { type: "string", about: "from this day on, UTC; yesterday where nothing else is said" },
    limit: {
      type: "string",
      about: "so many of the newest events, and how their runs began; 200 where nothing else is said",
    },
  },
  async run(values) {
    const workflow = oneOf(values, "workflow", workflowNames);
    const limit = wholeNumber(values, "limit", { min: 1, max: 100_000 }) ?? 200;
    const since = dayOf(values["since"]) ?? utcDate(Date.now() - dayMs);
    const events = await eventsOf(values, { since, workflow, limit });
    if (values.json) return printJson(events);
    if (events.length === 0) say(`no run of a workflow since ${since}; --since looks further back`);
    else print(textTable(runsOf(events)));
  },
};

function dayOf(given: Values[string]): string | undefined {
  if (given === undefined) return undefined;
  const day = calendarDay(String(given));
  if (day !== undefined) return day;
  throw new UsageError(`--since ${given}: give a day, such as 2026-11-24`);
}

/** Needs neither PostgreSQL nor a running pipeline: the events are in the lake. */
async function eventsOf(values: Values, asked: LineageQuery): Promise<LineageEvent[]> {
  if (values.target === "local") {
    const { readLocalLineage } = await import("../../targets/local/lineage.ts");
    return await readLocalLineage(values.dir, asked);
  }
  prepareDeployed(values);
  const { readDeployedLineage } = await import("../../targets/aws/open.ts");
  return await readDeployedLineage(values.env, asked);
}

/** A line for each run: how it ended, and what it wrote. */
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

/** The tables of gold count as one. */
function describeAll(datasets: readonly LineageDataset[]): string {
  const [gold, others] = [true, false].map((wanted) =>
    datasets.filter(({ name }) => name.includes(".gold.") === wanted),
  ) as [LineageDataset[], LineageDataset[]];
  const tables = gold.length === 0 ? [] : [describe({ ...gold[0]!, name: `${gold.length} tables of gold` })];
  return [...others.map(describe), ...tables].join(", ");
}

/** A dataset as `silver/order_lines v3 (1,204 rows)`; of a path only the last two parts. */
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
