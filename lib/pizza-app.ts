import { App, Tags, Validations, type AppProps } from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import type { Environment } from "./config.ts";
import type { CodeSource } from "./constructs/function-factory.ts";
import { StatefulStack } from "./stateful-stack.ts";
import { StatelessStack } from "./stateless-stack.ts";
import { readWorkflows, workflowFolder } from "./workflow-files.ts";

export interface PizzaSalesOptions {
  environment: Environment;
  /** Source of the functions' bundles. */
  code: CodeSource;
  /** Folder of the workflows, for tests. */
  workflows?: string;
}

/** Adds both stacks to an app. They are environment-agnostic (no account or region), so no context lookup is needed. */
export function addPizzaSales(app: App, { environment, code, workflows = workflowFolder }: PizzaSalesOptions) {
  const name = (part: string) => `PizzaSales-${environment.name}-${part}`;
  const stateful = new StatefulStack(app, name("Stateful"), {
    environment,
    description: "Pizza sales: stateful resources (lake, stream, warehouse, key, secrets)",
  });
  const stateless = new StatelessStack(app, name("Stateless"), {
    environment,
    stateful,
    code,
    files: readWorkflows(workflows),
    description: "Pizza sales: stateless resources (functions, workflows, schedules, alarms)",
  });
  Tags.of(app).add("application", "pizza-sales");
  Tags.of(app).add("environment", environment.name);
  return { stateful, stateless };
}

/** An empty app whose synthesis fails on any unacknowledged cdk-nag finding. */
export function createApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  return app;
}
