/** Whether a LocalStack, or an emulator with its health endpoint, answers there. */
export async function answersAsLocalStack(endpoint: string): Promise<boolean> {
  const health = (await fetchJson(`${endpoint}/_localstack/health`)) as { services?: unknown } | undefined;
  return typeof health?.services === "object";
}

/** Session id of the running LocalStack, which changes at every start; undefined if it has none. */
export async function sessionOf(endpoint: string): Promise<string | undefined> {
  const info = (await fetchJson(`${endpoint}/_localstack/info`)) as { session_id?: string } | undefined;
  return info?.session_id;
}

/** Whether it runs in Docker, where 127.0.0.1 is the container itself. */
export async function runsInDocker(endpoint: string): Promise<boolean> {
  const info = (await fetchJson(`${endpoint}/_localstack/info`)) as { is_docker?: unknown } | undefined;
  return info?.is_docker === true;
}

/** The parsed response; undefined on any error. */
async function fetchJson(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

/** Throws unless the endpoint is on this machine: only emulators are deployed to this way. */
export function checkLoopback(endpoint: string): void {
  const { hostname } = new URL(endpoint);
  if (hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)) return;
  throw new Error(
    `AWS_ENDPOINT_URL ${endpoint} is not on this machine: set it to http://127.0.0.1:4566, or deploy with cdk`,
  );
}
