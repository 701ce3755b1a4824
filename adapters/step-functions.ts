import {
  ExecutionAlreadyExists,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  type ExecutionStatus,
} from "@aws-sdk/client-sfn";
import type { WorkflowStarter } from "../pipeline/ports.ts";

const failures: ReadonlySet<ExecutionStatus> = new Set<ExecutionStatus>(["FAILED", "TIMED_OUT", "ABORTED"]);

/** Starts executions of state machines; `stateMachines` maps workflow names to ARNs. */
export function openStepFunctions({
  stateMachines,
  client = new SFNClient(),
}: {
  stateMachines: Readonly<Record<string, string>>;
  client?: SFNClient;
}): WorkflowStarter {
  function arnOf(workflow: string): string {
    const arn = stateMachines[workflow];
    if (arn !== undefined) return arn;
    throw new Error(`workflow ${workflow} is not deployed: choose one of ${Object.keys(stateMachines).join(", ")}`);
  }

  return {
    async start({ workflow, name, input }) {
      const stateMachineArn = arnOf(workflow);
      try {
        const running = { stateMachineArn, statusFilter: "RUNNING", maxResults: 1 } as const;
        const { executions = [] } = await client.send(new ListExecutionsCommand(running));
        if (executions.length > 0) return "running";
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
        return "started";
      } catch (cause) {
        if (cause instanceof ExecutionAlreadyExists) return "already started";
        throw new Error(`workflow ${workflow} could not be started as ${name}: ${String(cause)}`, { cause });
      }
    },

    async newest(workflow) {
      // Step Functions lists the newest first.
      const list = new ListExecutionsCommand({ stateMachineArn: arnOf(workflow), maxResults: 1 });
      const [run] = (await client.send(list)).executions ?? [];
      if (run === undefined) return undefined;
      return {
        startedAt: run.startDate!.getTime(),
        ...(run.stopDate && { endedAt: run.stopDate.getTime() }),
        hasFailed: failures.has(run.status!),
      };
    },
  };
}
