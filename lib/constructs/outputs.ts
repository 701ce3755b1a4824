import { CfnOutput, type Stack } from "aws-cdk-lib";

/** Adds stack outputs, from which the command line finds the deployed resources. */
export const addOutputs = (stack: Stack, values: Record<string, string>): CfnOutput[] =>
  Object.entries(values).map(([id, value]) => new CfnOutput(stack, id, { value }));
