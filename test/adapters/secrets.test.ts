import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSecrets } from "../../adapters/secrets.ts";
import { AwsFault } from "../support/aws-json.ts";
import { testAccess } from "../support/aws-access.ts";
import { startJsonServer, type JsonServer } from "../support/json-server.ts";

let secret: unknown;
let server: JsonServer;
let client: SecretsManagerClient;
beforeEach(async () => {
  secret = JSON.stringify({ username: "pizza_reader", password: "tomato", port: 5432 });
  const answer = () => {
    if (secret instanceof Error) throw secret;
    return { SecretString: secret };
  };
  server = await startJsonServer({ answers: { GetSecretValue: answer } });
  client = new SecretsManagerClient({ endpoint: server.url, ...testAccess });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader";

test("a secret's fields are returned as text", async () => {
  expect(await openSecrets({ client }).read(arn)).toEqual({
    username: "pizza_reader",
    password: "tomato",
    port: "5432",
  });
  expect(server.calls).toEqual([{ operation: "GetSecretValue", input: { SecretId: arn } }]);
});

test("a secret is fetched once per five minutes, even for concurrent callers", async () => {
  let now = 0;
  const secrets = openSecrets({ client, clock: () => now });
  await Promise.all([secrets.read(arn), secrets.read(arn)]);
  now = 299_999;
  await secrets.read(arn);
  expect(server.calls).toHaveLength(1);
  now = 300_000;
  secret = JSON.stringify({ password: "basil" });
  expect(await secrets.read(arn)).toEqual({ password: "basil" });
  await secrets.read(`${arn}-2`);
  expect(server.calls).toHaveLength(3);
});

test("a failure is not cached, and its message says what to do", async () => {
  const secrets = openSecrets({ client });
  const content = secret;
  secret = new AwsFault("ResourceNotFoundException");
  await expect(secrets.read(arn)).rejects.toThrow(`Secret ${arn}: could not read it: the secret does not exist`);
  secret = new AwsFault("AccessDeniedException");
  await expect(secrets.read(arn)).rejects.toThrow("the role needs secretsmanager:GetSecretValue on it");
  secret = content;
  expect(await secrets.read(arn)).toHaveProperty("password", "tomato");
});

test.each(["tomato sauce", '"tomato"', "[1]", "null", undefined])(
  "%j is rejected without being quoted",
  async (text) => {
    secret = text;
    const failure: unknown = await openSecrets({ client })
      .read(arn)
      .catch((error: unknown) => error);
    expect(String(failure)).toContain(`Secret ${arn}: not a JSON object with string values`);
    expect(`${String(failure)} ${String((failure as Error).cause)}`).not.toContain("tomato");
  },
);
