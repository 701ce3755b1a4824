import { readRunning, type LocalStackAddress, type LocalStackDirectory } from "../targets/localstack-directory.ts";
import { checkFolder } from "./data-folder.ts";
import { answersAsLocalStack, checkLoopback, runsInDocker } from "./health.ts";
import { start, startBeside } from "./start.ts";

/** A LocalStack to deploy to, and the connection string of the warehouse for its functions. */
export interface LocalStackTarget extends LocalStackAddress {
  functionsDatabaseUrl: string;
}

/**
 * Resolves the LocalStack to deploy to: the one running in this data folder; else an external one at AWS_ENDPOINT_URL
 * or the port, with the database in DATABASE_URL or a PostgreSQL started for it; else starts one. Throws with the
 * variables to set if the functions could not reach a database.
 */
export async function resolveTarget(
  directory: LocalStackDirectory,
  { port, say }: { port: number; say: (line: string) => void },
): Promise<LocalStackTarget> {
  checkFolder(directory);
  const running = readRunning(directory);
  if (running) return withFunctions(running);
  const local = `http://127.0.0.1:${port}`;
  const endpoint = process.env["AWS_ENDPOINT_URL"] ?? local;
  checkLoopback(endpoint);
  if (await answersAsLocalStack(endpoint)) return await resolveRunning(directory, { endpoint, say });
  if (portOf(endpoint) === port) return withFunctions(await start(directory, { port, say }));
  throw new Error(
    `AWS_ENDPOINT_URL ${endpoint}: no LocalStack answers there: start it, or unset AWS_ENDPOINT_URL to start one here`,
  );
}

async function resolveRunning(
  directory: LocalStackDirectory,
  { endpoint, say }: { endpoint: string; say: (line: string) => void },
): Promise<LocalStackTarget> {
  const { DATABASE_URL: databaseUrl, FUNCTIONS_DATABASE_URL: functionsDatabaseUrl = databaseUrl } = process.env;
  say(`LocalStack is already running at ${endpoint}: deploying to it`);
  if (databaseUrl && functionsDatabaseUrl) return { endpoint, databaseUrl, functionsDatabaseUrl };
  if (await runsInDocker(endpoint)) throw new Error(inDocker(endpoint));
  return withFunctions(await startBeside(directory, { endpoint, say }));
}

const withFunctions = ({ endpoint, databaseUrl }: LocalStackAddress): LocalStackTarget => ({
  endpoint,
  databaseUrl,
  functionsDatabaseUrl: databaseUrl,
});

function portOf(endpoint: string): number {
  const { port, protocol } = new URL(endpoint);
  return Number(port || (protocol === "https:" ? 443 : 80));
}

/** The values to set are those of compose.yaml. */
function inDocker(endpoint: string): string {
  return [
    `LocalStack at ${endpoint} runs in Docker and cannot reach a PostgreSQL on this machine's 127.0.0.1: set the database to use.`,
    "  export DATABASE_URL=postgresql://pizza_owner:pizza@127.0.0.1:5432/pizza_sales              # from this machine",
    "  export FUNCTIONS_DATABASE_URL=postgresql://pizza_owner:pizza@postgres:5432/pizza_sales     # from a container",
    "These values are for docker compose --file localstack/compose.yaml up --wait, which starts LocalStack and PostgreSQL.",
    "For your own PostgreSQL that listens beyond 127.0.0.1, use host.docker.internal instead of postgres.",
    "Or stop that LocalStack, so that one without Docker is started here.",
  ].join("\n");
}
