import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from "@aws-sdk/client-cloudformation";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { clientSettings } from "./environment.ts";

/** A schedule as it was deployed. */
export interface DeployedSchedule {
  name: string;
  /** Such as `rate(1 minute)`. */
  expression: string;
  isEnabled: boolean;
  /** What StartWorkflow is called with, as JSON text. */
  input: string;
}

const stack = "PizzaSales-localstack-Stateless";
const lookSeconds = 15;
const unitSeconds = { minute: 60, hour: 3600, day: 86_400 } as const;

/**
 * Does what LocalStack's Scheduler leaves undone: looks every 15 seconds which schedules the stack has, and calls
 * StartWorkflow for the one that has waited longest beyond its time. One a look, so that gold is published soon after silver.
 */
export function keepSchedules({ endpoint, log }: { endpoint: string; log: (line: string) => void }): {
  stop(): Promise<void>;
} {
  const formation = new CloudFormationClient(clientSettings(endpoint));
  const lambda = new LambdaClient(clientSettings(endpoint));
  const startedAt = new Map<string, number>();

  async function look(): Promise<void> {
    const deployed = await findSchedules(formation);
    const due = deployed && nextDue(deployed.schedules, { startedAt, now: Date.now() });
    if (!deployed || !due) return;
    startedAt.set(due.name, Date.now());
    const { functionName: FunctionName } = deployed;
    await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: due.input }));
  }

  let last: Promise<void> = Promise.resolve();
  const turn = (): void => {
    last = last.then(look).catch((error: Error) => log(`schedule not kept: ${error.message}`));
  };
  const timer = setInterval(turn, lookSeconds * 1000);
  return {
    async stop() {
      clearInterval(timer);
      await last;
    },
  };
}

/** Of the enabled schedules whose time has come, the one that has waited longest; one that never started comes first. */
export function nextDue(
  schedules: readonly DeployedSchedule[],
  { startedAt, now }: { startedAt: ReadonlyMap<string, number>; now: number },
): DeployedSchedule | undefined {
  const beyond = (schedule: DeployedSchedule) =>
    now - (startedAt.get(schedule.name) ?? Number.NEGATIVE_INFINITY) - periodSeconds(schedule) * 1000;
  // A look that comes a little early would otherwise put every start off by a whole look.
  const due = schedules.filter((schedule) => schedule.isEnabled && beyond(schedule) >= -lookSeconds * 500);
  return due.reduce<DeployedSchedule | undefined>(
    (first, schedule) => (first && beyond(first) >= beyond(schedule) ? first : schedule),
    undefined,
  );
}

function periodSeconds({ name, expression }: DeployedSchedule): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined) {
    throw new Error(`${name} is ${expression}: on LocalStack give it a rate, such as rate(1 minute), in lib/config.ts`);
  }
  return Number(count) * unitSeconds[unit as keyof typeof unitSeconds];
}

interface ScheduleResource {
  Type: string;
  Properties: { ScheduleExpression: string; State: string; Target: { Input: string } };
}

/** What the stack's template says; undefined where nothing is deployed. */
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
