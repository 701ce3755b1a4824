import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { acknowledge } from "../../lib/acknowledgements.ts";
import { environments, type Environment, type EnvironmentName } from "../../lib/config.ts";
import type { CodeSource } from "../../lib/constructs/function-factory.ts";
import { functionEntries } from "../../lib/function-entries.ts";
import { addPizzaSales, createApp } from "../../lib/pizza-app.ts";

export interface Resource {
  Type: string;
  Properties: Record<string, any>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string[];
}

export interface Template {
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: unknown; Export?: unknown }>;
}

export const environmentNames = Object.keys(environments) as EnvironmentName[];

const { context } = JSON.parse(readFileSync("cdk.json", "utf8")) as { context: Record<string, unknown> };
const folder = mkdtempSync(join(tmpdir(), "pizza-lib-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Replaces the bundles: the same two lines for each function. */
const stubCode: CodeSource = (name) => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "stub.mjs"), `// ${name}\nexport const handler = () => {};\n`);
  return { path, handler: functionEntries[name].entry.replace(/\.ts$/, ".handler") };
};

/**
 * Both stacks of an environment, synthesised in this process with the flags of cdk.json. Only `checked` ones are
 * checked by cdk-nag and by CloudFormation's rules, which takes longer than everything else.
 */
export function synthesise(
  environment: EnvironmentName | Environment,
  { workflows, checked = false }: { workflows?: string; checked?: boolean } = {},
): Synthesis {
  const key = JSON.stringify({ environment, workflows, checked });
  const known = workflows === undefined ? made.get(key) : undefined;
  const synthesis = known ?? synthesiseAnew(environment, { workflows, checked });
  made.set(key, synthesis);
  return synthesis;
}

type Synthesis = ReturnType<typeof synthesiseAnew>;

/** Shared by the test files of a process, so they must not be changed. */
const made = new Map<string, Synthesis>();

function synthesiseAnew(
  environment: EnvironmentName | Environment,
  { workflows, checked }: { workflows: string | undefined; checked: boolean },
) {
  const chosen = typeof environment === "string" ? toldByMail(environments[environment]) : environment;
  const outdir = mkdtempSync(join(folder, "out-"));
  const props = { context, outdir, analyticsReporting: false };
  const app = checked ? createApp(props) : new App(props);
  const stacks = addPizzaSales(app, {
    environment: chosen,
    code: stubCode,
    ...(workflows !== undefined && { workflows }),
  });
  if (checked) acknowledge(stacks);
  process.env["CDK_VALIDATION"] = String(checked);
  app.synth();
  const read = (id: string) => JSON.parse(readFileSync(join(outdir, `${id}.template.json`), "utf8")) as Template;
  return {
    app,
    stacks,
    outdir,
    stateful: read(stacks.stateful.artifactId),
    stateless: read(stacks.stateless.artifactId),
  };
}

const toldByMail = (environment: Environment): Environment => ({
  ...environment,
  alarms: { ...environment.alarms, emails: ["ops@example.com"] },
});

/** The resources of a type with their logical ids. */
export const ofType = ({ Resources }: Template, type: string): [string, Resource][] =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type);

/** The only resource of a type whose logical id starts with a text. */
export function only(template: Template, type: string, prefix = ""): Resource {
  const found = ofType(template, type).filter(([id]) => id.startsWith(prefix));
  if (found.length !== 1) throw new Error(`${type} ${prefix}: ${found.length} resources, not one`);
  return found[0]![1];
}
