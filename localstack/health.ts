/** Whether LocalStack, or what takes itself for one, answers there. */
export async function answersAsLocalStack(endpoint: string): Promise<boolean> {
  const health = (await ask(`${endpoint}/_localstack/health`)) as { services?: unknown } | undefined;
  return typeof health?.services === "object";
}

/** Which start of it answers; undefined where it does not say. */
export async function sessionOf(endpoint: string): Promise<string | undefined> {
  const info = (await ask(`${endpoint}/_localstack/info`)) as { session_id?: string } | undefined;
  return info?.session_id;
}

/** Whether it says that it runs in Docker, where 127.0.0.1 is the container's own. */
export async function runsInDocker(endpoint: string): Promise<boolean> {
  const info = (await ask(`${endpoint}/_localstack/info`)) as { is_docker?: unknown } | undefined;
  return info?.is_docker === true;
}

/** What is answered, from JSON; undefined where nothing useful is. */
async function ask(url: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing is ever deployed to anything but an emulator on this machine. */
export function checkLoopback(endpoint: string): void {
  const { hostname } = new URL(endpoint);
  if (hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)) return;
  throw new Error(
    `AWS_ENDPOINT_URL ${endpoint} is not on this machine: set it to http://127.0.0.1:4566, or deploy with cdk`,
  );
}
