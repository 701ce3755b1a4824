import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { readProjectJson } from "../../adapters/project-files.ts";
import { chooseEnvironment, type ContextSetting } from "../choose-environment.ts";
import { addPizzaSales } from "../pizza-app.ts";

/** A resource of a synthesised template. */
export interface Resource {
  id: string;
  type: string;
  properties: Record<string, unknown>;
}

/** Paths of an environment's synthesised templates in a folder such as `cdk.out`. */
export function templatePaths(folder: string, environment: string): string[] {
  return ["Stateful", "Stateless"].map((part) => join(folder, `PizzaSales-${environment}-${part}.template.json`));
}

/** Whether the folder contains both templates. */
export function hasTemplates(folder: string, environment: string): boolean {
  return templatePaths(folder, environment).every((path) => existsSync(path));
}

/** The resources of both stacks. */
export function readTemplates(folder: string, environment: string): Resource[] {
  return templatePaths(folder, environment).flatMap((path) => {
    const template = JSON.parse(readFileSync(path, "utf8")) as { Resources: Record<string, TemplateResource> };
    return Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => ({
      id,
      type: Type,
      properties: Properties,
    }));
  });
}

interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
}

/**
 * Synthesises an environment and returns its resources. Uses empty functions instead of bundles, because the cost does not
 * depend on the code; leaves no files.
 */
export function synthesise(environmentName: string): Resource[] {
  const context: Partial<Record<ContextSetting, string>> = { env: environmentName, alertEmails: "ops@example.com" };
  const environment = chooseEnvironment((name) => context[name]);
  const folder = mkdtempSync(join(tmpdir(), "pizza-cost-"));
  try {
    const [empty, outdir] = [join(folder, "empty"), join(folder, "out")];
    mkdirSync(empty);
    writeFileSync(join(empty, "index.mjs"), "export const handler = () => {};\n");
    const flags = readProjectJson<{ context: Record<string, unknown> }>("cdk.json").context;
    const app = new App({ analyticsReporting: false, outdir, context: flags });
    addPizzaSales(app, { environment, code: () => ({ path: empty, handler: "index.handler" }) });
    app.synth();
    return readTemplates(outdir, environmentName);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
