import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errorCode } from "../../pipeline/domain/errors.ts";

/** Login roles: the owner migrates, the writer publishes, the reader queries; the admin is PostgreSQL's superuser. */
export type PostgresRole = "owner" | "writer" | "reader";

const login = z.object({ user: z.string().min(1), password: z.string().min(1) });

/** Content of `credentials.json` (mode 0600): connection details of the embedded PostgreSQL. */
const postgresCredentials = z.object({
  host: z.string().min(1),
  port: z.int().positive(),
  /** The configured port, if another program used it at the last start. */
  wishedPort: z.int().positive().optional(),
  database: z.string().min(1),
  roles: z.object({ admin: login, owner: login, writer: login, reader: login }),
});

export type PostgresCredentials = z.infer<typeof postgresCredentials>;

const users = { admin: "postgres", owner: "pizza_owner", writer: "pizza_writer", reader: "pizza_reader" };

/** Credentials with new random passwords for every role; writes nothing. */
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

/** Reads `dir/credentials.json`; undefined if PostgreSQL was never set up. */
export async function readCredentials(dir: string): Promise<PostgresCredentials | undefined> {
  const path = join(dir, "credentials.json");
  try {
    return postgresCredentials.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw new Error(
      `${path} cannot be read or is damaged: run as the user who created it, or restore it from a copy; ` +
        `without one, move ${dir} away and recover gold with ./pizza restore`,
      { cause },
    );
  }
}

/** Replaces `dir/credentials.json` atomically, readable by its owner only. */
export async function writeCredentials(dir: string, credentials: PostgresCredentials): Promise<void> {
  const path = join(dir, "credentials.json");
  await writeFile(`${path}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

/** The `postgresql://` connection string of one role. */
export function connectionString(credentials: PostgresCredentials, role: PostgresRole | "admin"): string {
  const { user, password } = credentials.roles[role];
  const { host, port, database } = credentials;
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${role === "admin" ? "postgres" : database}`;
}
