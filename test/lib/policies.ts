import { ofType, type Resource, type Template } from "./synthesise.ts";

export type Statement = {
  Sid?: string;
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
};

/** All statements of a role or any other resource with a policy. */
export const statements = ({ Properties }: Resource): Statement[] =>
  [
    Properties["PolicyDocument"] as { Statement: Statement[] } | undefined,
    ...((Properties["Policies"] ?? []) as { PolicyDocument: { Statement: Statement[] } }[]).map(
      (each) => each.PolicyDocument,
    ),
  ].flatMap((document) => document?.Statement ?? []);

export const actions = ({ Action }: Statement): string[] => [Action].flat();

/** The role of a function. */
export function roleOf(template: Template, name: string): Resource {
  const found = ofType(template, "AWS::IAM::Role").filter(([id]) => id.includes(`${name}Role`));
  return found[0]![1];
}

/** An ARN as the template builds it, with construct names in place of values that exist only after deployment. */
export function place(value: unknown): string {
  if (typeof value === "string") return value;
  const [[kind, of]] = Object.entries(value as object) as [[string, any]];
  const named = (id: string) =>
    id.replace(/^.*:ExportsOutput(FnGetAtt|Ref)/, "").replace(/[0-9A-F]{8}((Arn)?[0-9A-F]{8})?$/, "");
  if (kind === "Fn::Join") return (of[1] as unknown[]).map(place).join("");
  return kind === "Fn::GetAtt" ? named(of[0] as string) : named(of as string);
}
