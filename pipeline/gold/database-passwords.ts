import { randomBytes, createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { Warehouse } from "../ports.ts";

/** What Secrets Manager asks for, four times in a row; each may come twice. */
export interface RotationStep {
  Step: "createSecret" | "setSecret" | "testSecret" | "finishSecret";
  SecretId: string;
  /** Names the version that the rotation makes. */
  ClientRequestToken: string;
}

/** The versions of a secret, each a JSON object. */
export interface SecretVersions {
  /** Stages of each version, by the version's id. */
  stages(secret: string): Promise<Record<string, string[]>>;
  /** The content that everybody reads. */
  current(secret: string): Promise<Partial<Login>>;
  /** The content of a version under the stage AWSPENDING; undefined while it has none. */
  pending(secret: string, version: string): Promise<Partial<Login> | undefined>;
  /** Gives a version its content, under the stage AWSPENDING. */
  writePending(secret: string, version: string, content: Login): Promise<void>;
  /** Moves the stage AWSCURRENT, so that everybody reads the new version. */
  makeCurrent(secret: string, version: string, before: string | undefined): Promise<void>;
}

/**
 * One step of a rotation: a new password is made, set in the database, looked at, and made current. The role has one
 * password: from the second step to the last, a few seconds, who connects with the old one is refused and tries again.
 */
export async function rotatePassword(
  { secrets, warehouse }: { secrets: SecretVersions; warehouse: Warehouse },
  { Step: step, SecretId: secret, ClientRequestToken: version }: RotationStep,
): Promise<{ step: string; role: string }> {
  const stages = await secrets.stages(secret);
  const current = loginOf(secret, await secrets.current(secret));
  const done = { step, role: current.username };
  // Where a schedule is set, Secrets Manager tries this step alone, with a version that has no content.
  if (step === "testSecret") {
    await checkLogin(warehouse, current);
    return done;
  }
  if (stages[version] === undefined) {
    throw new Error(`secret ${secret} has no version ${version} to rotate: start the rotation again`);
  }
  if (stages[version].includes("AWSCURRENT")) return done;
  const pending = await secrets.pending(secret, version);
  if (step === "createSecret") {
    if (!pending) await secrets.writePending(secret, version, { ...current, password: newPassword() });
  } else if (step === "setSecret") await setPassword(warehouse, loginOf(secret, pending ?? {}));
  else if (step === "finishSecret") {
    const before = Object.keys(stages).find((id) => stages[id]!.includes("AWSCURRENT"));
    await secrets.makeCurrent(secret, version, before);
  } else throw new Error(`rotation step ${String(step)} is not one of Secrets Manager's four: see who calls`);
  return done;
}

/** The Data API reads a secret's current version only, so the new password cannot be tried before it is current. */
async function checkLogin(warehouse: Warehouse, { username }: Login): Promise<void> {
  if (await canLogIn(warehouse, username)) return;
  throw new Error(`role ${username} may not log in: run MigrateWarehouse, then start the rotation again`);
}

/** 192 random bits as 32 letters, digits, `-` and `_`. */
function newPassword(): string {
  return randomBytes(24).toString("base64url");
}

/** The roles whose passwords the pipeline sets; the owner's belongs to the server. */
export const loginRoles = ["pizza_reader", "pizza_writer"] as const;

/** A login as its secret keeps it. */
interface Login {
  username: string;
  password: string;
}

/** Lets a role log in with this password, from now on and with no other. Runs as the owner; throws for any other role. */
export async function setPassword(warehouse: Warehouse, { username, password }: Login): Promise<void> {
  const role = loginRoles.find((name) => name === username);
  if (role === undefined) {
    throw new Error(`role ${username} is not one whose password is set here: choose ${loginRoles.join(" or ")}`);
  }
  // The statement takes no parameters; neither of the two texts can hold a quote.
  await warehouse.query(`alter role ${role} login password '${scramVerifier(password)}'`);
}

/** Whether a role may log in now. */
async function canLogIn(warehouse: Warehouse, username: string): Promise<boolean> {
  const [row] = await warehouse.query<{ can: boolean }>(
    `select rolcanlogin and coalesce(rolvaliduntil > now(), true) as can from pg_roles where rolname = $1`,
    [username],
  );
  return row?.can === true;
}

/** The login in a secret's content; throws where it lacks one of the two. */
export function loginOf(secret: string, content: Partial<Login>): Login {
  const { username, password } = content;
  if (!username || !password) throw new Error(`secret ${secret} has no username and password: write both into it`);
  return { username, password };
}

/**
 * What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803): `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server
 * key>`. PostgreSQL takes it in place of the password, which then stands in no statement and in no log. The password is
 * printable ASCII: others would have to be normalised first.
 */
function scramVerifier(password: string, salt: Uint8Array = randomBytes(16), iterations = 4096): string {
  if (!/^[\x21-\x7e]+$/.test(password)) {
    throw new Error("a password has characters other than printable ASCII: write another one into its secret");
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const serverKey = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}
