import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../pipeline/domain/errors.ts";

/** Who may connect: the owner migrates, the writer publishes, the reader looks; the admin is PostgreSQL's superuser. */
export type PostgresRole = "owner" | "writer" | "reader";

/** How to connect to the embedded PostgreSQL, as kept in `credentials.json` (mode 0600). */
export interface PostgresCredentials {
  host: string;
  port: number;
  /** The port that it should have, where another program had that one at the last start. */
  wishedPort?: number;
  database: string;
  roles: Record<PostgresRole | "admin", { user: string; password: string }>;
}

const users = { admin: "postgres", owner: "pizza_owner", writer: "pizza_writer", reader: "pizza_reader" };

/** New random passwords for every role; nothing is written. */
export function createCredentials(port: number): PostgresCredentials {
  const role = (user: string) => ({ user, password: randomBytes(18).toString("base64url") });
  return {
    host: "127.0.0.1",
    port,
    database: "pizza_sales",
    roles: {
      admin: role(users.admin),
      owner: role(users.owner),
      writer: role(users.writer),
      reader: role(users.reader),
    },
  };
}

/** What `dir/credentials.json` holds, or undefined where PostgreSQL was never set up. */
export async function readCredentials(dir: string): Promise<PostgresCredentials | undefined> {
  const path = join(dir, "credentials.json");
  try {
    const credentials: PostgresCredentials = JSON.parse(await readFile(path, "utf8"));
    return credentials;
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw new Error(`${path} cannot be read: run as the user who created it, or remove ${dir} to begin anew`, {
      cause,
    });
  }
}

/** Replaces `dir/credentials.json` in one step, readable by its owner only. */
export async function writeCredentials(dir: string, credentials: PostgresCredentials): Promise<void> {
  const path = join(dir, "credentials.json");
  await writeFile(`${path}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

/** A `postgresql://` address for one role, as psql and most tools take it. */
export function connectionString(credentials: PostgresCredentials, role: PostgresRole | "admin"): string {
  const { user, password } = credentials.roles[role];
  const { host, port, database } = credentials;
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${role === "admin" ? "postgres" : database}`;
}
