import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { readProjectJson } from "../../adapters/project-files.ts";
import type { WorkflowRun } from "../pipeline-api.ts";
import type { Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";

type ExecutionOutput = Record<string, unknown>;

/** The state machines of a deployment. */
export interface Executions {
  /** Starts an execution with a unique name and waits for it; throws with its state and cause if it fails. */
  run(workflow: string): Promise<{ workflow: string; milliseconds: number; output: ExecutionOutput }>;
  /** The newest execution of each state machine that has been started at least once. */
  newest(): Promise<WorkflowRun[]>;
}

/** First and longest polling interval: an execution may take a second or an hour. */
const firstPauseMs = 200;
const lastPauseMs = 3000;

/** Executions per state machine in the status. */
const mostShown = 10;

export function openExecutions(
  { stateMachines, region }: Pick<Deployment, "stateMachines" | "region">,
  { onProgress, client = new SFNClient({}) }: { onProgress: (text: string) => void; client?: SFNClient },
): Executions {
  async function run(workflow: string) {
    const stateMachineArn = stateMachines[workflow];
    if (stateMachineArn === undefined) {
      throw new Error(`workflow ${workflow} is unknown: choose one of ${Object.keys(stateMachines).join(", ")}`);
    }
    const name = `by-hand-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}-${randomUUID().slice(0, 8)}`;
    const input = JSON.stringify(readProjectJson(`step-functions/${workflow}.input.json`));
    const start = client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
    const { executionArn } = await explained(start, { what: `starting ${workflow}`, region });
    const ended = await follow(workflow, executionArn!);
    const { status, startDate, stopDate, output } = ended;
    const milliseconds = stopDate!.getTime() - startDate!.getTime();
    if (status === "SUCCEEDED")
      return { workflow, milliseconds, output: JSON.parse(output ?? "{}") as ExecutionOutput };
    throw new Error(`${await failureOf(workflow, ended)}\n${consoleLink(region, executionArn!)}`);
  }

  async function follow(workflow: string, executionArn: string): Promise<DescribeExecutionOutput> {
    for (let pause = firstPauseMs; ; pause = Math.min(lastPauseMs, pause * 1.5)) {
      const description = client.send(new DescribeExecutionCommand({ executionArn }));
      const execution = await explained(description, { what: `the execution of ${workflow}`, region });
      if (execution.status !== "RUNNING" && execution.status !== "PENDING_REDRIVE") return execution;
      const seconds = Math.round((Date.now() - execution.startDate!.getTime()) / 1000);
      onProgress(`${workflow}: ${await stateOf(executionArn)}, ${seconds} s`);
      await sleep(pause);
    }
  }

  /** The most recently entered state. */
  async function stateOf(executionArn: string): Promise<string> {
    const command = new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 20 });
    const { events = [] } = await explained(client.send(command), { what: "the execution's history", region });
    const entered = events.find(({ stateEnteredEventDetails }) => stateEnteredEventDetails !== undefined);
    return entered?.stateEnteredEventDetails?.name ?? "starting";
  }

  async function failureOf(workflow: string, { status, error, cause, executionArn }: DescribeExecutionOutput) {
    const state = await stateOf(executionArn!);
    const reason = [error, messageOf(cause)].filter((text) => text !== undefined && text !== "").join(": ");
    return `workflow ${workflow}: ${status} in the state "${state}"${reason === "" ? "" : `: ${reason}`}`;
  }

  async function newestOf([workflow, stateMachineArn]: [string, string]): Promise<WorkflowRun[]> {
    const list = client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: mostShown }));
    const { executions = [] } = await explained(list, { what: `the executions of ${workflow}`, region });
    const [newest, ...before] = executions;
    if (newest === undefined) return [];
    const earlier = before.map((execution) => ({
      ...timesOf(execution),
      ...(hasFailed(execution) && { error: execution.status! }),
    }));
    const run_ = { workflow, ...timesOf(newest), ...(isRunning(newest) && { isRunning: true }), earlier };
    if (!hasFailed(newest)) return [run_];
    const description = client.send(new DescribeExecutionCommand({ executionArn: newest.executionArn! }));
    const execution = await explained(description, { what: `the execution of ${workflow}`, region });
    return [{ ...run_, error: await failureOf(workflow, execution) }];
  }

  return {
    run,
    newest: async () => (await Promise.all(Object.entries(stateMachines).map(newestOf))).flat(),
  };
}

const isRunning = ({ status }: ExecutionListItem): boolean => status === "RUNNING" || status === "PENDING_REDRIVE";

const hasFailed = (execution: ExecutionListItem): boolean => execution.status !== "SUCCEEDED" && !isRunning(execution);

function timesOf({ startDate, stopDate }: ExecutionListItem) {
  const milliseconds = (stopDate?.getTime() ?? Date.now()) - startDate!.getTime();
  return { startedAt: startDate!.toISOString(), milliseconds };
}

/** The error message of a failed function, whose cause Lambda formats as JSON; any other cause unchanged. */
function messageOf(cause: string | undefined): string | undefined {
  if (cause === undefined) return undefined;
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: unknown };
    return typeof errorMessage === "string" ? errorMessage : cause;
  } catch {
    return cause;
  }
}

function consoleLink(region: string, executionArn: string): string {
  return `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}
