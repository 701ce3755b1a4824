import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { readProjectJson } from "../../adapters/project-files.ts";
import { chooseEnvironment, type ContextSetting } from "../choose-environment.ts";
import { addPizzaSales } from "../pizza-app.ts";
import { readTemplates, type Resource } from "./templates.ts";

/**
 * The resources that an environment's templates have now. What costs money does not depend on the code, so the
 * functions are empty ones and nothing is bundled; nothing is left on the disk.
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
