import backup from "../../step-functions/backup.asl.json" with { type: "json" };
import refine from "../../step-functions/bronze_to_silver.asl.json" with { type: "json" };
import quality from "../../step-functions/data_quality.asl.json" with { type: "json" };
import publish from "../../step-functions/silver_to_gold.asl.json" with { type: "json" };
import { askConfirmed, gold, literal, poll, useAnswer, type Feed } from "../client.ts";
import { age, count, counted, duration, moment, words } from "../format.ts";
import { Confirmed, Empty, Failure, Glyph, Loading, Section, State } from "../parts.tsx";
import { addressWith } from "../route.ts";
import { outcomes, StateMachine, type Definition } from "../state-machine.tsx";
import { workflowName } from "./pipeline.tsx";

const definitions = {
  bronze_to_silver: refine,
  silver_to_gold: publish,
  data_quality: quality,
  backup,
} as unknown as Record<string, Definition>;

interface Run {
  id: string;
  workflow: string;
  startedAt: string;
  milliseconds: number;
  error: string | null;
  output: Record<string, unknown>;
}

const mostRuns = 100;

async function readRuns(workflow: string): Promise<Run[]> {
  const where = workflow === "" ? "" : `where workflow = ${literal(workflow)}`;
  const rows = await gold<Record<string, string | null>>(
    `select id::text as id, workflow, error, output::text as output, milliseconds::text as milliseconds,
       to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at
     from ops.runs ${where} order by id desc limit ${mostRuns}`,
  );
  return rows.map((row) => ({
    id: row["id"]!,
    workflow: row["workflow"]!,
    startedAt: row["started_at"]!,
    milliseconds: Number(row["milliseconds"]),
    error: row["error"] ?? null,
    output: JSON.parse(row["output"]!) as Record<string, unknown>,
  }));
}

/** The workflows: their state machines, their runs with output and error, and a run now. */
export function RunsScreen({ params, feed }: { params: URLSearchParams; feed: Feed }) {
  const workflow = params.get("workflow") ?? "";
  const newest =
    feed.live?.status.workflows
      .map(({ startedAt }) => startedAt)
      .toSorted()
      .at(-1) ?? "";
  const { result, error, again } = useAnswer(`${workflow} ${newest}`, () => readRuns(workflow));
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading rows={12} />;
  const run = result.find(({ id }) => id === params.get("run")) ?? result[0];
  const shown = workflow !== "" ? workflow : (run?.workflow ?? "bronze_to_silver");
  const definition = definitions[shown];
  return (
    <div class="explain-grid">
      <div>
        <div class="bar">
          <span class="seg" role="group" aria-label="Workflow">
            {["", ...Object.keys(definitions)].map((name) => (
              <a
                key={name}
                href={name === "" ? "/console/runs" : `/console/runs?workflow=${name}`}
                aria-current={name === workflow ? "true" : undefined}
              >
                {name === "" ? "All" : workflowName(name)}
              </a>
            ))}
          </span>
        </div>
        {result.length === 0 ? (
          <Empty title="No run had work to do yet">
            <p>Only runs that change something, or fail, are kept.</p>
          </Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Runs">
            <table class="t">
              <thead>
                <tr>
                  <th scope="col">Run</th>
                  <th scope="col">Did</th>
                  <th scope="col" class="n">
                    Took
                  </th>
                  <th scope="col" class="n">
                    Began
                  </th>
                </tr>
              </thead>
              <tbody>
                {result.map((each) => (
                  <tr key={each.id} class={each === run ? "picked" : ""}>
                    <td>
                      <a
                        class="st"
                        href={addressWith(params, { run: each.id })}
                        aria-current={each === run ? "true" : undefined}
                      >
                        <Glyph mood={each.error === null ? "ok" : "bad"} />
                        <span class="strong-m">{workflowName(each.workflow)}</span>
                        <span class="dim">{each.id}</span>
                      </a>
                    </td>
                    <td class="mid wrap">{each.error === null ? did(each) : "failed"}</td>
                    <td class="n">{duration(each.milliseconds)}</td>
                    <td class="n dim">{age(Date.parse(each.startedAt))}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
      <aside aria-label="Run">
        <div class="bar">
          <h2 class="h-lead">
            {workflowName(shown)} <span class="dim small">{shown}</span>
          </h2>
          <span class="gap" />
          {definition !== undefined && (
            <Confirmed
              label="Run now"
              question={`Run ${shown} now`}
              act={async () => {
                await askConfirmed("run", { workflow: shown });
                again();
                void poll();
              }}
            />
          )}
        </div>
        {definition?.Comment !== undefined && <p class="mid">{definition.Comment}</p>}
        {run !== undefined && (
          <dl class="run-head">
            <div>
              <dt>Run</dt>
              <dd>{run.id}</dd>
            </div>
            <div>
              <dt>State</dt>
              <dd>
                <State mood={run.error === null ? "ok" : "bad"}>{run.error === null ? "succeeded" : "failed"}</State>
              </dd>
            </div>
            <div>
              <dt>Began</dt>
              <dd>{moment(Date.parse(run.startedAt))}</dd>
            </div>
            <div>
              <dt>Took</dt>
              <dd>{duration(run.milliseconds)}</dd>
            </div>
          </dl>
        )}
        {run?.error !== null && run !== undefined && (
          <div class="err">
            <b>Why it failed</b>
            <p>{run.error}</p>
          </div>
        )}
        {definition !== undefined && (
          <Section title="States" note="from the definition; a tick: the run's output has its result">
            <StateMachine
              name={shown}
              definition={definition}
              {...(run !== undefined && { did: outcomes(definition, run) })}
            />
          </Section>
        )}
        {run !== undefined && (
          <Section title="Output">
            <pre class="json" tabIndex={0} role="region" aria-label="Output of the run">
              {JSON.stringify(run.output, null, 2)}
            </pre>
          </Section>
        )}
      </aside>
    </div>
  );
}

/** What a run did, in a few words. */
function did({ workflow, output }: Run): string {
  const part = (name: string) => (output[name] ?? {}) as Record<string, unknown>;
  const number = (value: unknown) => Number(value ?? 0);
  if (workflow === "bronze_to_silver") {
    const { accepted, quarantined, version } = part("refined");
    const rejected = number(quarantined) > 0 ? `, ${counted(number(quarantined), "event")} rejected` : "";
    return `${counted(number(accepted), "event")} accepted${rejected}, version ${number(version)}`;
  }
  if (workflow === "silver_to_gold") {
    const batches = (Array.isArray(output["published"]) ? output["published"] : []) as { published?: number }[];
    const days = batches.reduce((sum, { published }) => sum + number(published), 0);
    const customers = output["customersPublished"] === undefined ? "" : ", and customers";
    return `${counted(days, "day")} published${customers}, version ${count(number(part("plan")["silverVersion"]))}`;
  }
  if (workflow === "data_quality")
    return part("receipt")["balanced"] === true ? "balanced, rules checked" : "rules checked";
  return words(workflow);
}
