import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { setTimeout as sleep } from "node:timers/promises";

/** The endpoint of the LocalStack under test; the tests in this folder are skipped if it is not set. */
export const endpoint = process.env["PIZZA_TEST_LOCALSTACK"];

/** The settings of every SDK client. */
export const settings = {
  ...(endpoint === undefined ? {} : { endpoint }),
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};

type Resources = Record<string, { Type: string; Properties?: object; DependsOn?: string[] }>;

/** Creates a stack of these resources; returns its status and outputs, and a function that removes it. */
export async function createStack(
  Resources: Resources,
  Outputs: Record<string, unknown> = {},
  client = new CloudFormationClient(settings),
) {
  const StackName = `test-${Date.now()}-${Math.floor(Math.random() * 1e6)}`;
  const outputs = Object.fromEntries(Object.entries(Outputs).map(([name, Value]) => [name, { Value }]));
  const TemplateBody = JSON.stringify({ Resources, ...(Object.keys(outputs).length > 0 && { Outputs: outputs }) });
  await client.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities: ["CAPABILITY_IAM"] }));
  for (;;) {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    if (stack?.StackStatus?.endsWith("_IN_PROGRESS") === false) {
      const found = Object.fromEntries(
        (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue!]),
      );
      return {
        status: stack.StackStatus,
        reason: stack.StackStatusReason,
        outputs: found,
        remove: async () => void (await client.send(new DeleteStackCommand({ StackName }))),
      };
    }
    await sleep(200);
  }
}

/** A role without any permissions. */
export const powerlessRole = {
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: ["lambda.amazonaws.com", "states.amazonaws.com"] },
          Action: "sts:AssumeRole",
        },
      ],
    },
  },
};

/** A function whose source is `index.js`; it writes objects by plain HTTP with `put(bucket, key, text)`. */
export function functionOf(source: string, more: object = {}) {
  const put = `const put = async (bucket, key, body) => { const { ok } = await fetch(process.env.AWS_ENDPOINT_URL + "/" + bucket + "/" + key, { method: "PUT", body }); if (!ok) throw new Error("put"); };`;
  return {
    Type: "AWS::Lambda::Function",
    Properties: {
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Role: { "Fn::GetAtt": ["Role", "Arn"] },
      Code: { ZipFile: `${put}\n${source}` },
      Timeout: 10,
      MemorySize: 256,
      ...more,
    },
  };
}

/** Polls until there is a result, for half a minute. */
export async function eventually<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer> {
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(250)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error("nothing came in 30 s: see the log of LocalStack");
}
