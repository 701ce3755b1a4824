import { randomBytes } from "node:crypto";
import type { Warehouse } from "../ports.ts";
import { canLogIn, loginOf, setPassword, type Login } from "./set-password.ts";

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
