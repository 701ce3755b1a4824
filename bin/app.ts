import { acknowledge } from "../lib/acknowledgements.ts";
import { bundles } from "../lib/bundle-function.ts";
import type { CodeSource } from "../lib/constructs/function-factory.ts";
import { functionNames } from "../lib/function-entries.ts";
import { chooseEnvironment, rejectUnknown } from "../lib/choose-environment.ts";
import { SettingsError } from "../lib/config.ts";
import { addPizzaSales, createApp } from "../lib/pizza-app.ts";
import { endProgress, progress } from "./output.ts";

/** CDK app entry point: `npx cdk synth -c env=dev`. */
try {
  const app = createApp();
  rejectUnknown(Object.keys(app.node.getAllContext() as object));
  const environment = chooseEnvironment((name) => app.node.tryGetContext(name) as unknown);
  acknowledge(addPizzaSales(app, { environment, code: counted(bundles(environment)) }));
  app.synth();
  endProgress();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Shows on a terminal how many functions are bundled, which is most of the time. */
function counted(code: CodeSource): CodeSource {
  let done = 0;
  return (name) => {
    progress(`synth: ${done++} of ${functionNames.length} functions bundled`);
    return code(name);
  };
}
