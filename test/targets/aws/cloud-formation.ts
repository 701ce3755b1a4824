import { AwsFault } from "../../support/aws-json.ts";
import type { Answer } from "../../support/json-server.ts";

/**
 * Answers DescribeStacks as CloudFormation does, from the outputs of each stack; unknown names are a validation error.
 */
export function cloudFormation(stacks: Record<string, Record<string, string>>): Answer {
  return ({ StackName }) => {
    const name = String(StackName);
    const outputs = stacks[name];
    if (outputs === undefined) {
      throw new AwsFault("ValidationError", { message: `Stack with id ${name} does not exist` });
    }
    const members = Object.entries(outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${escape(value)}</OutputValue></member>`,
    );
    return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
  <DescribeStacksResult><Stacks><member>
    <StackName>${name}</StackName>
    <CreationTime>2026-11-20T08:00:00.000Z</CreationTime>
    <StackStatus>UPDATE_COMPLETE</StackStatus>
    <Outputs>${members.join("")}</Outputs>
  </member></Stacks></DescribeStacksResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</DescribeStacksResponse>`;
  };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
