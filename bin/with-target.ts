import { connectPipeline } from "../targets/local/control-client.ts";
import type { Log } from "../targets/local/event-log.ts";
import type { Pipeline } from "../targets/operations.ts";
import { requireDataDirectory, dataDirectory, runningProcess } from "../targets/local/data-directory.ts";
import { localStackDirectory, findAddress } from "../targets/localstack-directory.ts";
import type { DeployedPipeline } from "../targets/aws/open.ts";
import { oneOf, type Values } from "./options.ts";
import { count, endProgress, progress, say, UsageError } from "./output.ts";

type Use<Result> = (pipeline: Pipeline, how: { isRunning: boolean }) => Promise<Result>;

/**
 * Calls `use` with the pipeline that the options name: a deployed one, the local one that runs in the background, or
 * else a local one that is opened in this process and closed afterwards.
 */
export async function withPipeline<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withOpenedPipeline(values, {}, use);
}

/** The same for a rebuild, which mends what keeps other commands from opening the local pipeline. */
export async function withPipelineToRebuild<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withOpenedPipeline(values, { isForRebuild: true }, use);
}

/** The same for commands that only read: a pipeline that is opened for them lands nothing and starts no workflow. */
export async function withReadOnlyPipeline<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withOpenedPipeline(values, { isReadOnly: true }, use);
}

async function withOpenedPipeline<Result>(
  values: Values,
  how: { isReadOnly?: boolean; isForRebuild?: boolean },
  use: Use<Result>,
): Promise<Result> {
  if (values.target !== "local")
    return await withDeployedPipeline(values, (pipeline) => use(pipeline, { isRunning: true }));
  if (values["lake-sql"] !== undefined)
    throw new UsageError("--lake-sql works only on deployed pipelines: add --target aws");
  const { dir } = values;
  const folder = dataDirectory(dir);
  const running = runningProcess(folder);
  if (running !== undefined) return await use(connectPipeline(folder), { isRunning: true });
  requireDataDirectory(folder);
  // PostgreSQL, DuckDB and the rest are only loaded where they are needed.
  const { openLocalPipeline } = await import("../targets/local/open.ts");
  const pipeline = await openLocalPipeline({ dir, ...how, onLog: sayImportant });
  try {
    return await use(pipeline, { isRunning: false });
  } finally {
    await pipeline.close();
  }
}

/** What a command that opened the pipeline for itself prints of its log: what it is doing, and alerts. */
const sayImportant: Log = (text, { level = "info", event = "pipeline" } = {}) => {
  if (level === "alert") say(`ALERT ${text}`);
  else if (level === "error" || event === "pipeline") say(text);
};

const progressMs = 300;

/** Shows on a terminal how far a call is, until it has ended; elsewhere it only waits. */
export async function withProgress<Result>(
  pipeline: Pick<Pipeline, "progress">,
  call: Promise<Result>,
): Promise<Result> {
  if (!process.stderr.isTTY) return await call;
  let hasEnded = false;
  const show = async () => {
    const [first] = await pipeline.progress().catch(() => []);
    if (first === undefined || hasEnded) return;
    progress(`${first.operation}: ${count(first.done)} of ${count(first.total)} ${first.unit}`);
  };
  const timer = setInterval(() => void show(), progressMs);
  try {
    return await call;
  } finally {
    hasEnded = true;
    clearInterval(timer);
    endProgress();
  }
}

/** The SQL engines that can read the lake of a deployed pipeline. */
export const lakeSqlOption = {
  "lake-sql": {
    type: "string",
    about: "deployed pipelines: run lake SQL with athena or duckdb (default: athena if deployed)",
  },
} as const;

/** Calls `use` with a deployed pipeline, and closes it afterwards. */
export async function withDeployedPipeline<Result>(
  values: Values,
  use: (pipeline: DeployedPipeline) => Promise<Result>,
): Promise<Result> {
  prepareDeployed(values);
  const { openDeployedPipeline } = await import("../targets/aws/open.ts");
  const lakeSql = oneOf(values, "lake-sql", ["athena", "duckdb"]);
  const pipeline = await openDeployedPipeline({
    environment: values.env,
    ...(lakeSql && { lakeSql }),
    onProgress: progress,
  });
  try {
    return await use(pipeline);
  } finally {
    endProgress();
    await pipeline.close();
  }
}

/**
 * Sets the AWS variables for LocalStack from the address that its folder stores. Variables that are set already stay.
 */
export function prepareDeployed({ target }: Values, address = findAddress(localStackDirectory())): void {
  if (target !== "localstack") return;
  const { env } = process;
  env["AWS_ENDPOINT_URL"] ??= address?.endpoint ?? "http://127.0.0.1:4566";
  // Functions may reach the warehouse by a name that only their containers know.
  if (address && address.endpoint === env["AWS_ENDPOINT_URL"]) env["DATABASE_URL"] ??= address.databaseUrl;
  env["AWS_REGION"] ??= "us-east-1";
  env["AWS_ACCESS_KEY_ID"] ??= "test";
  env["AWS_SECRET_ACCESS_KEY"] ??= "test";
}
