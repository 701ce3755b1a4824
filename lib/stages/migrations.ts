import { type CfnResource, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { CfnPermission, type Function } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnRotationSchedule } from "aws-cdk-lib/aws-secretsmanager";
import { Trigger } from "aws-cdk-lib/triggers";
import { Construct } from "constructs";
import { allow, secretAccess, useKey, type Permission } from "../access.ts";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import type { SecretVault } from "../constructs/secrets.ts";
import type { Resources } from "../resources.ts";

export interface MigrationsProps {
  environment: Environment;
  functions: FunctionFactory;
  resources: Resources;
  secrets: SecretVault;
  key: IKey;
}

/** The warehouse's schema and logins: migrated by every deployment, with passwords rotated every month. */
export class MigrationsStage extends Construct {
  private readonly trigger: Trigger;

  constructor(scope: Construct, id: string, props: MigrationsProps) {
    super(scope, id);
    const { environment, functions, resources, secrets, key } = props;
    const migrate = functions.create(this, "MigrateWarehouse", {
      description: "Migrates the database; an error rolls the deployment back",
      memoryMegabytes: 512,
      timeout: Duration.minutes(14),
      reservedConcurrency: 1,
      access: [
        resources.warehouse("owner"),
        secretAccess(secrets.reader, "READER_SECRET_ARN", key),
        secretAccess(secrets.writer, "WRITER_SECRET_ARN", key),
      ],
    });
    // Runs whenever the function changes, which includes the SQL in its bundle.
    this.trigger = new Trigger(this, "OnDeploy", { handler: migrate, timeout: Duration.minutes(14) });
    narrowTriggerRole(this, props);
    if (environment.warehouse.kind === "aurora") this.addRotation(props);
  }

  /** Updates these stages only after the migration, because their code may need the new schema. */
  before(...stages: Construct[]): void {
    this.trigger.executeBefore(...stages);
  }

  private addRotation({ functions, resources, secrets, key }: MigrationsProps): void {
    const rotate = functions.create(this, "RotatePassword", {
      description: "Runs one step of the rotation of a database login's password",
      memoryMegabytes: 512,
      timeout: Duration.minutes(3),
      reservedConcurrency: 1,
      access: [resources.warehouse("owner"), mayRotate(secrets, key)],
    });
    const permission = new CfnPermission(this, "SecretsManagerRotates", {
      action: "lambda:InvokeFunction",
      functionName: rotate.functionArn,
      principal: new ServicePrincipal("secretsmanager.amazonaws.com").service,
      sourceAccount: Stack.of(this).account,
    });
    for (const name of ["reader", "writer"] as const) {
      const schedule = this.addSchedule(`Rotate-${name}`, secrets[name].secretArn, rotate);
      schedule.node.addDependency(permission, this.trigger);
    }
  }

  private addSchedule(id: string, secretId: string, rotate: Function): CfnRotationSchedule {
    return new CfnRotationSchedule(this, id, {
      secretId,
      rotationLambdaArn: rotate.functionArn,
      rotationRules: { scheduleExpression: "rate(30 days)" },
      rotateImmediatelyOnUpdate: false,
    });
  }
}

function mayRotate({ reader, writer }: SecretVault, key: IKey): Permission {
  const actions = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"];
  return {
    variables: {},
    statements: [
      allow(
        actions.map((action) => `secretsmanager:${action}`),
        [reader.secretArn, writer.secretArn],
      ),
      useKey(key, "secretsmanager", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ],
  };
}

/** CDK's trigger function has an AWS managed policy and a log group without retention; this replaces both. */
function narrowTriggerRole(scope: Construct, { environment, key }: MigrationsProps): void {
  const provider = Stack.of(scope).node.findChild("AWSCDK.TriggerCustomResourceProviderCustomResourceProvider");
  const log = new LogGroup(scope, "OnDeployLog", {
    encryptionKey: key,
    retention: environment.logRetentionDays as RetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const [role, handler] = ["Role", "Handler"].map((id) => provider.node.findChild(id) as CfnResource);
  role!.addPropertyDeletionOverride("ManagedPolicyArns");
  role!.addPropertyOverride("Policies.1", {
    PolicyName: "Log",
    PolicyDocument: {
      Version: "2012-10-17",
      Statement: [allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log.logGroupArn]).toStatementJson()],
    },
  });
  handler!.addPropertyOverride("LoggingConfig.LogGroup", log.logGroupName);
}
