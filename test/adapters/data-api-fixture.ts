import { RDSDataClient } from "@aws-sdk/client-rds-data";
import { openDataApiWarehouse, type DataApiOptions } from "../../adapters/data-api.ts";
import type { LocalPostgres } from "../../targets/local/postgres.ts";
import { testAccess } from "../support/aws-access.ts";
import { startDataApiServer } from "../support/data-api-server.ts";

const roles = ["owner", "writer", "reader"] as const;
type Role = (typeof roles)[number];

const secretArn = (role: Role) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${role}`;

/** The Data API over one PostgreSQL, with one secret per role. */
export async function openDataApi(postgres: LocalPostgres, { timeoutMs = 45_000 } = {}) {
  const connectionStrings = Object.fromEntries(roles.map((role) => [secretArn(role), postgres.connectionString(role)]));
  const server = await startDataApiServer({ connectionStrings, timeoutMs });
  const client = new RDSDataClient({ ...testAccess, endpoint: server.url, maxAttempts: 3 });
  return {
    server,
    connect: (role: Role, options: Partial<DataApiOptions> = {}) =>
      openDataApiWarehouse({
        clusterArn: "arn:aws:rds:eu-central-1:111122223333:cluster:pizza",
        secretArn: secretArn(role),
        database: "pizza_sales",
        client,
        ...options,
      }),
    async close() {
      client.destroy();
      await server.close();
    },
  };
}
