import { AwsFault } from "../../support/aws-json.ts";
import type { Answer } from "../../support/json-server.ts";

type Run = (input: unknown) => Promise<unknown>;

interface Execution {
  executionArn: string;
  name: string;
  stateMachineArn: string;
  status: string;
  startDate: number;
  stopDate?: number;
  output?: string;
  error?: string;
  cause?: string;
}

/**
 * The part of Step Functions that the command line uses; each state machine is a function that runs in the background.
 */
export function stateMachines(runs: Record<string, Run>) {
  const executions = new Map<string, Execution>();
  const arns = Object.fromEntries(
    Object.keys(runs).map((name) => [name, `arn:aws:states:eu-central-1:1:stateMachine:${name}`]),
  );

  async function work(execution: Execution, run: Run, input: unknown): Promise<void> {
    try {
      execution.output = JSON.stringify(await run(input));
      execution.status = "SUCCEEDED";
    } catch (error) {
      execution.error = "Error";
      // Lambda's runtime returns an error as JSON.
      execution.cause = JSON.stringify({ errorType: "Error", errorMessage: (error as Error).message, trace: [] });
      execution.status = "FAILED";
    }
    execution.stopDate = Date.now() / 1000;
  }

  const answers: Record<string, Answer> = {
    StartExecution({ stateMachineArn, name, input }) {
      const machine = String(stateMachineArn).split(":").at(-1)!;
      const executionArn = `arn:aws:states:eu-central-1:1:execution:${machine}:${String(name)}`;
      if (executions.has(executionArn)) throw new AwsFault("ExecutionAlreadyExists");
      const execution: Execution = {
        executionArn,
        name: String(name),
        stateMachineArn: String(stateMachineArn),
        status: "RUNNING",
        startDate: Date.now() / 1000,
      };
      executions.set(executionArn, execution);
      void work(execution, runs[machine]!, JSON.parse(String(input)));
      return { executionArn, startDate: execution.startDate };
    },
    DescribeExecution: ({ executionArn }) => executions.get(String(executionArn)),
    GetExecutionHistory: () => ({
      events: [
        { id: 3, type: "TaskFailed", timestamp: 1 },
        { id: 2, type: "TaskStateEntered", timestamp: 1, stateEnteredEventDetails: { name: "Verify receipt" } },
      ],
    }),
    ListExecutions: ({ stateMachineArn }) => ({
      executions: [...executions.values()].filter((one) => one.stateMachineArn === stateMachineArn).slice(-1),
    }),
  };
  return { arns, answers, executions };
}
