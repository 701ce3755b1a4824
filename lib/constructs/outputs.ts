import { CfnOutput, type Stack } from "aws-cdk-lib";

/** Outputs of a stack, by name; the command line finds what is deployed by them. */
export const addOutputs = (stack: Stack, values: Record<string, string>): CfnOutput[] =>
  Object.entries(values).map(([id, value]) => new CfnOutput(stack, id, { value }));
