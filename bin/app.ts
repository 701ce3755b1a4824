import { acknowledge } from "../lib/acknowledgements.ts";
import { bundles } from "../lib/bundle-function.ts";
import { chooseEnvironment, rejectUnknown } from "../lib/choose-environment.ts";
import { SettingsError } from "../lib/config.ts";
import { addPizzaSales, createApp } from "../lib/pizza-app.ts";

/** CDK app entry point: `npx cdk synth -c env=dev`. */
try {
  const app = createApp();
  rejectUnknown(Object.keys(app.node.getAllContext() as object));
  const environment = chooseEnvironment((name) => app.node.tryGetContext(name) as unknown);
  acknowledge(addPizzaSales(app, { environment, code: bundles(environment) }));
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
