import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMigrations } from "../../../adapters/project-files.ts";
import { recordedCalls } from "../../support/recorded-calls.ts";
import { startDataApiServer, type DataApiServer } from "../../support/data-api-server.ts";
import { sharedBundle } from "../bundles.ts";
import { forbiddenCalls } from "../forbidden-calls.ts";
import { startLambda, type LambdaHost } from "../lambda-host.ts";
import { addressOf, startManagedPostgres, type ManagedPostgres } from "../managed-postgres.ts";
import { startSecretStore, type SecretStore } from "../secret-store.ts";

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${name}`;
const [owner, reader, writer] = [arn("owner"), arn("reader"), arn("writer")];
const dir = mkdtempSync(join(tmpdir(), "pizza-passwords-"));
let postgres: ManagedPostgres;
let dataApi: DataApiServer;
let secrets: SecretStore;
let migrate: LambdaHost;
let rotate: LambdaHost;

beforeAll(async () => {
  postgres = await startManagedPostgres(dir);
  dataApi = await startDataApiServer({ connectionStrings: { [owner]: postgres.connectionString("owner") } });
  secrets = await startSecretStore({
    [reader]: { username: "pizza_reader", password: "reader-1" },
    [writer]: { username: "pizza_writer", password: "writer-1" },
    [arn("unknown")]: { username: "pizza_owner", password: "x" },
  });
  const environment = {
    AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    WAREHOUSE: "data-api",
    CLUSTER_ARN: "arn:aws:rds:eu-central-1:000000000000:cluster:pizza",
    DATABASE_NAME: "pizza_sales",
    DATABASE_SECRET_ARN: owner,
    READER_SECRET_ARN: reader,
    WRITER_SECRET_ARN: writer,
  };
  migrate = startLambda(sharedBundle("MigrateWarehouse", "athena"), environment);
  rotate = startLambda(sharedBundle("RotatePassword", "athena"), environment);
});

afterAll(async () => {
  await Promise.all([migrate?.close(), rotate?.close()]);
  await Promise.all([dataApi?.close(), secrets?.close()]);
  await postgres?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The current user after logging in over the PostgreSQL protocol, or the error code if the login fails. */
async function logIn(user: string, password: string): Promise<string> {
  const client = new Client({ connectionString: addressOf(postgres, user, password) });
  try {
    await client.connect();
    return String((await client.query("select current_user as me")).rows[0]?.me);
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end().catch(() => {});
  }
}

async function rotation(version: string, ...steps: string[]): Promise<void> {
  for (const Step of steps) await rotate.invoke({ Step, SecretId: reader, ClientRequestToken: version });
}

describe("migrating on deploy", () => {
  it("applies every migration in order and sets the roles' passwords from their secrets", async () => {
    const names = loadMigrations().map(({ name }) => name);
    expect(await migrate.invoke({ RequestType: "Create" })).toEqual({
      applied: names,
      roles: ["pizza_reader", "pizza_writer"],
    });
    expect(await logIn("pizza_reader", "reader-1")).toBe("pizza_reader");
    expect(await logIn("pizza_writer", "writer-1")).toBe("pizza_writer");
  });

  it("does nothing the second time", async () => {
    expect(await migrate.invoke({ RequestType: "Update" })).toMatchObject({ applied: [] });
    expect(await logIn("pizza_reader", "reader-1")).toBe("pizza_reader");
  });

  it("sends no password to the database and writes none to the log", () => {
    const sent = dataApi.statements.map(({ sql }) => sql).join("\n");
    expect(sent).toContain("SCRAM-SHA-256$4096:");
    for (const password of ["reader-1", "writer-1"]) {
      expect(sent).not.toContain(password);
      expect(migrate.log()).not.toContain(password);
    }
    expect(migrate.lines("applied")[0]).toMatchObject({ message: "done", roles: 2, applied: loadMigrations().length });
  });
});

describe("rotating a password", () => {
  it("creates a new password that works, and invalidates the old one", async () => {
    secrets.beginRotation(reader, "second");
    await rotation("second", "createSecret", "setSecret", "testSecret", "finishSecret");
    const { username, password } = secrets.read(reader, "AWSCURRENT")!;
    expect(username).toBe("pizza_reader");
    expect(password).toHaveLength(32);
    expect(await logIn("pizza_reader", password!)).toBe("pizza_reader");
    expect(await logIn("pizza_reader", "reader-1")).toBe("28P01");
    expect(secrets.versions(reader)["second"]).toContain("AWSCURRENT");
    expect(rotate.log()).not.toContain(password);
  });

  it("tolerates every step being run twice", async () => {
    secrets.beginRotation(reader, "third");
    await rotation("third", "createSecret", "createSecret", "setSecret", "setSecret");
    const { password } = secrets.read(reader, "AWSPENDING")!;
    await rotation("third", "testSecret", "testSecret", "finishSecret", "finishSecret", "createSecret");
    expect(secrets.read(reader, "AWSCURRENT")).toEqual({ username: "pizza_reader", password });
    expect(await logIn("pizza_reader", password!)).toBe("pizza_reader");
  });

  it("does not affect the other role, and a later deployment keeps the rotated password", async () => {
    await migrate.invoke({ RequestType: "Update" });
    expect(await logIn("pizza_reader", secrets.read(reader, "AWSCURRENT")!["password"]!)).toBe("pizza_reader");
    expect(await logIn("pizza_writer", "writer-1")).toBe("pizza_writer");
  });

  it("is rejected for any role except those two", async () => {
    const unknownSecret = { SecretId: arn("unknown"), ClientRequestToken: "second" };
    secrets.beginRotation(arn("unknown"), "second");
    await rotate.invoke({ ...unknownSecret, Step: "createSecret" });
    await expect(rotate.invoke({ ...unknownSecret, Step: "setSecret" })).rejects.toThrow(
      "role pizza_owner has no password that the pipeline sets: use pizza_reader or pizza_writer",
    );
  });

  it("is rejected for a version that was never started, and for a role that cannot log in", async () => {
    await expect(rotation("unknown", "createSecret")).rejects.toThrow("has no version unknown to rotate");
    secrets.beginRotation(reader, "fourth");
    await rotation("fourth", "createSecret");
    await postgres.asAdmin("alter role pizza_reader nologin");
    await expect(rotation("fourth", "testSecret")).rejects.toThrow("role pizza_reader may not log in");
  });
});

it("neither function makes an AWS call that its role does not allow", () => {
  expect(forbiddenCalls(recordedCalls)).toEqual([]);
  expect(new Set(recordedCalls.map(({ caller }) => caller))).toEqual(
    new Set(["MigrateWarehouse.athena", "RotatePassword.athena"]),
  );
});
