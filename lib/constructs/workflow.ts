import { RemovalPolicy } from "aws-cdk-lib";
import { PolicyDocument, Role, ServicePrincipal, type ManagedPolicy } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { allow } from "../access.ts";
import { SettingsError, type Environment } from "../config.ts";
import type { WorkflowFile } from "../workflow-files.ts";

export interface WorkflowProps {
  environment: Environment;
  key: IKey;
  workflow: WorkflowFile;
  functions: ReadonlyMap<string, IFunction>;
  /** Permission to write logs and traces. */
  observation: ManagedPolicy;
}

/** The state machine of one file. It may invoke only the functions named in the file. */
export function addWorkflow(
  scope: Construct,
  { environment, key, workflow, functions, observation }: WorkflowProps,
): StateMachine {
  const id = pascalCase(workflow.name);
  const called = new Map(workflow.placeholders.map((name) => [name, functionOf(workflow, functions, name)]));
  const arns = Object.fromEntries([...called].map(([name, { functionArn }]) => [name, functionArn]));
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal("states.amazonaws.com"),
    description: `What ${workflow.name} may call`,
    inlinePolicies: {
      Functions: new PolicyDocument({ statements: [allow(["lambda:InvokeFunction"], Object.values(arns))] }),
    },
    managedPolicies: [observation],
  });
  const logGroup = new LogGroup(scope, `${id}Log`, {
    // Any other prefix adds an entry to the account's CloudWatch Logs resource policy, whose size is limited.
    logGroupName: `/aws/vendedlogs/states/pizza-sales-${environment.name}-${workflow.name}`,
    encryptionKey: key,
    retention: environment.logRetentionDays as RetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  return new StateMachine(scope, id, {
    definitionBody: DefinitionBody.fromString(workflow.definition),
    definitionSubstitutions: arns,
    stateMachineType: StateMachineType.STANDARD,
    role: role.withoutPolicyUpdates(),
    // Logs steps and errors, never inputs and outputs.
    logs: { destination: logGroup, level: LogLevel.ALL, includeExecutionData: false },
    tracingEnabled: true,
  });
}

function functionOf({ name }: WorkflowFile, functions: ReadonlyMap<string, IFunction>, placeholder: string): IFunction {
  const found = functions.get(placeholder);
  if (found) return found;
  throw new SettingsError(
    `workflow ${name} calls \${${placeholder}}, but no such function exists: ` +
      `correct the name, or add the function in lib/stages/ (existing: ${[...functions.keys()].join(", ")})`,
  );
}

/** `bronze_to_silver` as `BronzeToSilver`. */
export const pascalCase = (name: string): string =>
  name.replace(/(^|[_-])([a-z0-9])/g, (_match, _gap, letter: string) => letter.toUpperCase());
