import { Stack, type RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

/** The KMS key that encrypts everything at rest, with yearly rotation. */
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

/** The encryption context contains the log group's ARN, which limits the service to this account's log groups. */
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
 * Services that publish to the encrypted alert topic and deliver the state machines' logs. Not all of them send a
 * source account, so a condition on it would suppress alarms; the topic and the log groups themselves admit only this
 * account.
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
