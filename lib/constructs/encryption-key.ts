import { Stack, type RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

/** The one key under everything at rest. Its material is renewed every year. */
export function addEncryptionKey(scope: Construct, { removalPolicy }: { removalPolicy: RemovalPolicy }): Key {
  const key = new Key(scope, "Key", {
    description: "Pizza sales: lake, stream, warehouse, secrets, logs and alerts",
    enableKeyRotation: true,
    removalPolicy,
  });
  key.addToResourcePolicy(logs(scope));
  key.addToResourcePolicy(services());
  return key;
}

/** Log groups name themselves in the encryption context, so the service can use the key for this account's alone. */
function logs(scope: Construct): PolicyStatement {
  const { region, account, partition } = Stack.of(scope);
  return new PolicyStatement({
    sid: "LogGroups",
    principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
    actions: [
      "kms:Encrypt",
      "kms:Decrypt",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:DescribeKey",
    ],
    resources: ["*"],
    conditions: {
      ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:${partition}:logs:${region}:${account}:log-group:*` },
    },
  });
}

/**
 * Who publishes to the encrypted alert topic, and who delivers the state machines' logs. Not all of these services say for
 * which account they call, so a condition would silence alarms; the topic and the logs themselves let this account in only.
 */
function services(): PolicyStatement {
  const names = ["cloudwatch", "budgets", "delivery.logs"];
  return new PolicyStatement({
    sid: "AlertsAndLogDelivery",
    principals: names.map((name) => new ServicePrincipal(`${name}.amazonaws.com`)),
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    resources: ["*"],
  });
}
