import { connectPipeline } from "../targets/local/control-client.ts";
import type { Pipeline } from "../targets/operations.ts";
import { requireDataDirectory, dataDirectory, runningProcess } from "../targets/local/data-directory.ts";
import { localStackDirectory, findAddress } from "../targets/localstack-place.ts";
import type { DeployedPipeline } from "../targets/aws/open.ts";
import { oneOf, type Values } from "./options.ts";
import { endProgress, progress, say, UsageError } from "./output.ts";

type Use<Result> = (pipeline: Pipeline, how: { isRunning: boolean }) => Promise<Result>;

/**
 * Calls `use` with the home that the options name: a deployed one; or the embedded one that runs in the background; or, where
 * none does, one that is opened in this process and closed afterwards.
 */
export async function withPipeline<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withOpenedPipeline(values, { isReadOnly: false }, use);
}

/** The same for commands that only look: a home that is opened for them is left as it is. */
export async function withReadOnlyPipeline<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withOpenedPipeline(values, { isReadOnly: true }, use);
}

async function withOpenedPipeline<Result>(
  values: Values,
  { isReadOnly }: { isReadOnly: boolean },
  use: Use<Result>,
): Promise<Result> {
  if (values.target !== "local")
    return await withDeployedPipeline(values, (pipeline) => use(pipeline, { isRunning: true }));
  if (values["lake-sql"] !== undefined) throw new UsageError("--lake-sql is for deployed homes: add --target aws");
  const { dir } = values;
  const folder = dataDirectory(dir);
  const running = runningProcess(folder);
  if (running !== undefined) return await use(connectPipeline(folder), { isRunning: true });
  requireDataDirectory(folder);
  // PostgreSQL, DuckDB and the rest are only loaded where they are needed.
  const { openLocalPipeline } = await import("../targets/local/open.ts");
  const pipeline = await openLocalPipeline({ dir, isReadOnly, onLog: say });
  try {
    return await use(pipeline, { isRunning: false });
  } finally {
    await pipeline.close();
  }
}

/** The SQL engines that can read the lake of a deployed home. */
export const lakeSqlOption = {
  "lake-sql": { type: "string", about: "deployed homes: athena or duckdb reads the lake (athena where there is one)" },
} as const;

/** Calls `use` with a deployed home, and closes it afterwards. */
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

/** LocalStack takes any credentials; where it listens and what it was deployed with, its folder tells. What is set already stays. */
export function prepareDeployed({ target }: Values, place = findAddress(localStackDirectory())): void {
  if (target !== "localstack") return;
  const { env } = process;
  env["AWS_ENDPOINT_URL"] ??= place?.endpoint ?? "http://127.0.0.1:4566";
  // Functions may reach the warehouse by a name that only their containers know.
  if (place && place.endpoint === env["AWS_ENDPOINT_URL"]) env["DATABASE_URL"] ??= place.databaseUrl;
  env["AWS_REGION"] ??= "us-east-1";
  env["AWS_ACCESS_KEY_ID"] ??= "test";
  env["AWS_SECRET_ACCESS_KEY"] ??= "test";
}
