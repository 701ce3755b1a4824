import { connectHome } from "../targets/local/control-server.ts";
import type { Home } from "../targets/pipeline-api.ts";
import { existingHome, homeFolder, runningProcess } from "../targets/local/data-directory.ts";
import { localStackHome, findPlace } from "../targets/localstack-place.ts";
import type { RemoteHome } from "../targets/aws/open.ts";
import { oneOf, type Values } from "./options.ts";
import { endProgress, progress, say, UsageError } from "./output.ts";

type Use<Result> = (home: Home, how: { isRunning: boolean }) => Promise<Result>;

/**
 * Calls `use` with the home that the options name: a deployed one; or the embedded one that runs in the background; or, where
 * none does, one that is opened in this process and closed afterwards.
 */
export async function withHome<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withHomeOpened(values, { isStill: false }, use);
}

/** The same for commands that only look: a home that is opened for them is left as it is. */
export async function lookAtHome<Result>(values: Values, use: Use<Result>): Promise<Result> {
  return await withHomeOpened(values, { isStill: true }, use);
}

async function withHomeOpened<Result>(
  values: Values,
  { isStill }: { isStill: boolean },
  use: Use<Result>,
): Promise<Result> {
  if (values.home !== "embedded") return await withRemoteHome(values, (home) => use(home, { isRunning: true }));
  if (values["lake-sql"] !== undefined) throw new UsageError("--lake-sql is for deployed homes: add --home aws");
  const { dir } = values;
  const folder = homeFolder(dir);
  const running = runningProcess(folder);
  if (running !== undefined) return await use(connectHome(folder), { isRunning: true });
  existingHome(folder);
  // PostgreSQL, DuckDB and the rest are only loaded where they are needed.
  const { openHome } = await import("../targets/local/open.ts");
  const home = await openHome({ dir, isStill, onLog: say });
  try {
    return await use(home, { isRunning: false });
  } finally {
    await home.close();
  }
}

/** The SQL engines that can read the lake of a deployed home. */
export const lakeSqlOption = {
  "lake-sql": { type: "string", about: "deployed homes: athena or duckdb reads the lake (athena where there is one)" },
} as const;

/** Calls `use` with a deployed home, and closes it afterwards. */
export async function withRemoteHome<Result>(
  values: Values,
  use: (home: RemoteHome) => Promise<Result>,
): Promise<Result> {
  prepareRemote(values);
  const { openRemoteHome } = await import("../targets/aws/open.ts");
  const lakeSql = oneOf(values, "lake-sql", ["athena", "duckdb"]);
  const home = await openRemoteHome({ environment: values.env, ...(lakeSql && { lakeSql }), onProgress: progress });
  try {
    return await use(home);
  } finally {
    endProgress();
    await home.close();
  }
}

/** LocalStack takes any credentials; where it listens and what it was deployed with, its folder tells. What is set already stays. */
export function prepareRemote({ home }: Values, place = findPlace(localStackHome())): void {
  if (home !== "localstack") return;
  const { env } = process;
  env["AWS_ENDPOINT_URL"] ??= place?.endpoint ?? "http://127.0.0.1:4566";
  // Functions may reach the warehouse by a name that only their containers know.
  if (place && place.endpoint === env["AWS_ENDPOINT_URL"]) env["DATABASE_URL"] ??= place.databaseUrl;
  env["AWS_REGION"] ??= "us-east-1";
  env["AWS_ACCESS_KEY_ID"] ??= "test";
  env["AWS_SECRET_ACCESS_KEY"] ??= "test";
}
