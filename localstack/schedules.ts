import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from "@aws-sdk/client-cloudformation";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { clientSettings } from "./environment.ts";

/** A deployed schedule. */
export interface DeployedSchedule {
  name: string;
  /** Such as `rate(1 minute)`. */
  expression: string;
  isEnabled: boolean;
  /** Input of StartWorkflow as JSON text. */
  input: string;
}

const stack = "PizzaSales-localstack-Stateless";
const pollSeconds = 15;
const unitSeconds = { minute: 60, hour: 3600, day: 86_400 } as const;

/**
 * Runs the schedules that LocalStack's Scheduler does not run: every 15 seconds it invokes StartWorkflow for the most
 * overdue schedule of the stack. One per poll, so that gold is published soon after silver.
 */
export function keepSchedules({ endpoint, log }: { endpoint: string; log: (line: string) => void }): {
  stop(): Promise<void>;
} {
  const formation = new CloudFormationClient(clientSettings(endpoint));
  const lambda = new LambdaClient(clientSettings(endpoint));
  const startedAt = new Map<string, number>();

  async function poll(): Promise<void> {
    const deployed = await findSchedules(formation);
    const due = deployed && nextDue(deployed.schedules, { startedAt, now: Date.now() });
    if (!deployed || !due) return;
    startedAt.set(due.name, Date.now());
    const { functionName: FunctionName } = deployed;
    await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: due.input }));
  }

  let last: Promise<void> = Promise.resolve();
  const turn = (): void => {
    last = last.then(poll).catch((error: Error) => log(`schedule not run: ${error.message}`));
  };
  const timer = setInterval(turn, pollSeconds * 1000);
  return {
    async stop() {
      clearInterval(timer);
      await last;
    },
  };
}

/** The most overdue of the enabled schedules that are due; one that has never run comes first. */
export function nextDue(
  schedules: readonly DeployedSchedule[],
  { startedAt, now }: { startedAt: ReadonlyMap<string, number>; now: number },
): DeployedSchedule | undefined {
  const overdueMs = (schedule: DeployedSchedule) =>
    now - (startedAt.get(schedule.name) ?? Number.NEGATIVE_INFINITY) - periodSeconds(schedule) * 1000;
  // The tolerance keeps a slightly early poll from delaying a start by a whole poll interval.
  const due = schedules.filter((schedule) => schedule.isEnabled && overdueMs(schedule) >= -pollSeconds * 500);
  return due.reduce<DeployedSchedule | undefined>(
    (first, schedule) => (first && overdueMs(first) >= overdueMs(schedule) ? first : schedule),
    undefined,
  );
}

function periodSeconds({ name, expression }: DeployedSchedule): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined) {
    throw new Error(
      `schedule ${name} is ${expression}: LocalStack needs a rate, such as rate(1 minute), in lib/config.ts`,
    );
  }
  return Number(count) * unitSeconds[unit as keyof typeof unitSeconds];
}

interface ScheduleResource {
  Type: string;
  Properties: { ScheduleExpression: string; State: string; Target: { Input: string } };
}

/** Schedules in the deployed stack's template; undefined if nothing is deployed. */
async function findSchedules(formation: CloudFormationClient) {
  const found = await formation.send(new DescribeStacksCommand({ StackName: stack })).catch((error: Error) => {
    if (error.name === "ValidationError") return undefined;
    throw error;
  });
  const { StackStatus = "", Outputs = [] } = found?.Stacks?.[0] ?? {};
  if (!/^(CREATE|UPDATE)_COMPLETE$/.test(StackStatus)) return undefined;
  const functions = Outputs.find(({ OutputKey }) => OutputKey === "Functions")?.OutputValue ?? "{}";
  const { StartWorkflow: functionName } = JSON.parse(functions) as Record<string, string>;
  const { TemplateBody = "{}" } = await formation.send(new GetTemplateCommand({ StackName: stack }));
  const { Resources = {} } = JSON.parse(TemplateBody) as { Resources?: Record<string, ScheduleResource> };
  const schedules = Object.entries(Resources)
    .filter(([, { Type }]) => Type === "AWS::Scheduler::Schedule")
    .map(
      ([
        name,
        {
          Properties: { ScheduleExpression: expression, State, Target },
        },
      ]) => ({
        name,
        expression,
        isEnabled: State !== "DISABLED",
        input: Target.Input,
      }),
    );
  return { functionName, schedules };
}
