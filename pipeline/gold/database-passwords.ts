import { randomBytes, createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { Warehouse } from "../ports.ts";

/** The event of one rotation step. Secrets Manager invokes the four steps in order, and may repeat each. */
export interface RotationStep {
  Step: "createSecret" | "setSecret" | "testSecret" | "finishSecret";
  SecretId: string;
  /** Id of the secret version that the rotation creates. */
  ClientRequestToken: string;
}

/** The versions of a secret, each a JSON object. */
export interface SecretVersions {
  /** Returns the staging labels of each version, by version id. */
  stages(secret: string): Promise<Record<string, string[]>>;
  /** Returns the content of the version labeled AWSCURRENT, which all readers use. */
  current(secret: string): Promise<Partial<DatabaseLogin>>;
  /** Returns the content of a version labeled AWSPENDING; undefined if it has none yet. */
  pending(secret: string, version: string): Promise<Partial<DatabaseLogin> | undefined>;
  /** Writes the content of a version and labels it AWSPENDING. */
  writePending(secret: string, version: string, content: DatabaseLogin): Promise<void>;
  /** Moves the label AWSCURRENT to the new version, so that all readers use it. */
  makeCurrent(secret: string, version: string, before: string | undefined): Promise<void>;
}

/**
 * Runs one step of a rotation: creates a new password, sets it in the database, tests the login, or makes it current.
 * Idempotent. A role has only one password: from the second step to the last, for a few seconds, connections with the
 * old password fail and have to be retried.
 */
export async function rotatePassword(
  { secrets, warehouse }: { secrets: SecretVersions; warehouse: Warehouse },
  { Step: step, SecretId: secret, ClientRequestToken: version }: RotationStep,
): Promise<{ step: string; role: string }> {
  const stages = await secrets.stages(secret);
  const current = loginOf(secret, await secrets.current(secret));
  const done = { step, role: current.username };
  // When a schedule is configured, Secrets Manager runs only this step, with a version that has no content.
  if (step === "testSecret") {
    await checkLogin(warehouse, current);
    return done;
  }
  if (stages[version] === undefined) {
    throw new Error(`secret ${secret} has no version ${version} to rotate: restart the rotation`);
  }
  if (stages[version].includes("AWSCURRENT")) return done;
  const pending = await secrets.pending(secret, version);
  if (step === "createSecret") {
    if (!pending) await secrets.writePending(secret, version, { ...current, password: newPassword() });
  } else if (step === "setSecret") await setPassword(warehouse, loginOf(secret, pending ?? {}));
  else if (step === "finishSecret") {
    const before = Object.keys(stages).find((id) => stages[id]!.includes("AWSCURRENT"));
    await secrets.makeCurrent(secret, version, before);
  } else throw new Error(`rotation step ${String(step)} is not one of Secrets Manager's four: check the caller`);
  return done;
}

/**
 * Checks that the role may log in. The Data API reads only AWSCURRENT, so the new password cannot be tested earlier.
 */
async function checkLogin(warehouse: Warehouse, { username }: DatabaseLogin): Promise<void> {
  if (await canLogIn(warehouse, username)) return;
  throw new Error(`role ${username} may not log in: run MigrateWarehouse, then restart the rotation`);
}

/** Returns 192 random bits in base64url: 32 characters. */
function newPassword(): string {
  return randomBytes(24).toString("base64url");
}

/** The roles whose passwords the pipeline sets; the server manages the owner's. */
export const loginRoles = ["pizza_reader", "pizza_writer"] as const;

/** The login that a secret stores. */
interface DatabaseLogin {
  username: string;
  password: string;
}

/** Enables a role's login and sets its password. Runs as the owner; throws if the role is not in `loginRoles`. */
export async function setPassword(warehouse: Warehouse, { username, password }: DatabaseLogin): Promise<void> {
  const role = loginRoles.find((name) => name === username);
  if (role === undefined) {
    throw new Error(`role ${username} has no password that the pipeline sets: use ${loginRoles.join(" or ")}`);
  }
  // `alter role` accepts no parameters; neither text can contain a quote.
  await warehouse.query(`alter role ${role} login password '${scramVerifier(password)}'`);
}

/** Whether a role may currently log in. */
async function canLogIn(warehouse: Warehouse, username: string): Promise<boolean> {
  const [row] = await warehouse.query<{ can: boolean }>(
    `select rolcanlogin and coalesce(rolvaliduntil > now(), true) as can from pg_roles where rolname = $1`,
    [username],
  );
  return row?.can === true;
}

/** Returns the login in a secret's content; throws if the username or the password is missing. */
export function loginOf(secret: string, content: Partial<DatabaseLogin>): DatabaseLogin {
  const { username, password } = content;
  if (!username || !password) throw new Error(`secret ${secret} has no username or no password: write both into it`);
  return { username, password };
}

/**
 * Returns the verifier that PostgreSQL stores for a password (SCRAM-SHA-256, RFC 5803), in its format
 * `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`. PostgreSQL accepts it in place of the password, which
 * therefore appears in no statement and no log. The password must be printable ASCII; other text would need SASLprep.
 */
function scramVerifier(password: string, salt: Uint8Array = randomBytes(16), iterations = 4096): string {
  if (!/^[\x21-\x7e]+$/.test(password)) {
    throw new Error("password has characters other than printable ASCII: write a different one into its secret");
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const serverKey = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}
