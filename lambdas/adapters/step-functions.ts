import { ExecutionAlreadyExists, ListExecutionsCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import type { WorkflowStarter } from "../ports.ts";

/** Starts executions of the state machines whose ARNs stand under the workflows' names. */
export function openStepFunctions({
  stateMachines,
  client = new SFNClient(),
}: {
  stateMachines: Readonly<Record<string, string>>;
  client?: SFNClient;
}): WorkflowStarter {
  return {
    async start({ workflow, name, input }) {
      const stateMachineArn = stateMachines[workflow];
      if (stateMachineArn === undefined) {
        throw new Error(`workflow ${workflow} is not deployed: choose one of ${Object.keys(stateMachines).join(", ")}`);
      }
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
  };
}
