import { openSecrets } from "../lambdas/adapters/secrets.ts";
import type { Credentials } from "../local/home-api.ts";
import type { Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";

/** How to reach gold as a role that may only read. */
export async function remoteCredentials(deployment: Deployment): Promise<Credentials> {
  const { databaseUrl, databaseHost: host, databaseName: database, readerSecretArn, region, environment } = deployment;
  if (databaseUrl !== undefined) return fromUrl(databaseUrl);
  if (host === undefined || database === undefined || readerSecretArn === undefined) {
    throw new Error(`environment ${environment} has no warehouse among its outputs: deploy it again`);
  }
  const what = "the reader's secret";
  const { username: user, password } = await explained(openSecrets().read(readerSecretArn), { what, region });
  if (!user || !password) throw new Error(`secret ${readerSecretArn} lacks username or password: rotate it once`);
  const port = deployment.databasePort ?? 5432;
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const url = `postgresql://${account}@${host}:${port}/${database}?sslmode=require`;
  return { host, port, database, user, password, url };
}

function fromUrl(url: string): Credentials {
  const { hostname: host, port, pathname, username, password } = new URL(url);
  return {
    host,
    port: Number(port || 5432),
    database: pathname.slice(1),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    url,
  };
}
