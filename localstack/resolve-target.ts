import { answersAsLocalStack, runsInDocker, checkLoopback } from "./health.ts";
import { checkFolder } from "./data-folder.ts";
import { type LocalStackDirectory, readRunning, type LocalStackAddress } from "../targets/localstack-place.ts";
import { start, startBeside } from "./start.ts";

/** Where the pipeline goes, and the warehouse as its functions reach it. */
export interface LocalStackTarget extends LocalStackAddress {
  functionsDatabaseUrl: string;
}

/**
 * Finds where to deploy: the LocalStack that runs in this home; else one that somebody else started, at AWS_ENDPOINT_URL or
 * the port, with the database that DATABASE_URL names or our own PostgreSQL beside it; else starts one. Where functions could
 * not reach a database, says what to set.
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
    `nothing answers as LocalStack at AWS_ENDPOINT_URL ${endpoint}: start it, or unset AWS_ENDPOINT_URL and one is started here`,
  );
}

async function resolveRunning(
  directory: LocalStackDirectory,
  { endpoint, say }: { endpoint: string; say: (line: string) => void },
): Promise<LocalStackTarget> {
  const { DATABASE_URL: databaseUrl, FUNCTIONS_DATABASE_URL: functionsDatabaseUrl = databaseUrl } = process.env;
  say(`LocalStack answers at ${endpoint} already: deploying into it`);
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

/** What to set is what compose.yaml has. */
function inDocker(endpoint: string): string {
  return [
    `LocalStack at ${endpoint} runs in Docker, where a PostgreSQL on this machine's 127.0.0.1 cannot be reached: say which database to use.`,
    "  export DATABASE_URL=postgresql://pizza_owner:pizza@127.0.0.1:5432/pizza_sales              # as this machine reaches it",
    "  export FUNCTIONS_DATABASE_URL=postgresql://pizza_owner:pizza@postgres:5432/pizza_sales     # as a container does",
    "These are those of docker compose --file localstack/compose.yaml up --wait, which brings LocalStack and PostgreSQL. For a PostgreSQL",
    "of your own that listens beyond 127.0.0.1, put host.docker.internal for postgres. Or stop that LocalStack: one without Docker is started then.",
  ].join("\n");
}
