import type { Warehouse } from "../ports.ts";
import { migrate, type Migration } from "./migrate.ts";
import type { SecretVersions } from "./rotate-password.ts";
import { loginOf, setPassword } from "./set-password.ts";

/**
 * Brings the database to the newest form, then lets the roles of the secrets log in with the passwords that these hold
 * now. A second run applies nothing.
 */
export async function migrateWarehouse({
  warehouse,
  migrations,
  secrets,
  loginSecrets,
}: {
  warehouse: Warehouse;
  migrations: readonly Migration[];
  secrets: Pick<SecretVersions, "current">;
  loginSecrets: readonly string[];
}): Promise<{ applied: string[]; roles: string[] }> {
  const applied = await migrate({ warehouse, migrations });
  const roles = [];
  for (const secret of loginSecrets) {
    const login = loginOf(secret, await secrets.current(secret));
    await setPassword(warehouse, login);
    roles.push(login.username);
  }
  return { applied, roles };
}
