import { SNSClient } from "@aws-sdk/client-sns";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSnsNotifier } from "../../adapters/sns-notifier.ts";
import type { Notifier } from "../../pipeline/ports.ts";
import { AwsFault } from "../support/aws-json.ts";
import { testAccess } from "../support/aws-access.ts";
import { startJsonServer, type JsonServer } from "../support/json-server.ts";

let failures: AwsFault[];
let server: JsonServer;
let client: SNSClient;
let notifier: Notifier;
beforeEach(async () => {
  failures = [];
  const answer = () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return { MessageId: "1" };
  };
  server = await startJsonServer({ answers: { Publish: answer } });
  client = new SNSClient({ endpoint: server.url, ...testAccess });
  notifier = openSnsNotifier({ topicArn: topic, client });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

const topic = "arn:aws:sns:eu-central-1:123456789012:alerts";

test("the subject and the text reach the topic", async () => {
  await notifier.notify({ subject: "Receipt does not balance", text: "bronze ≠ silver\n1 record" });
  expect(server.calls[0]).toMatchObject({
    operation: "Publish",
    input: { TopicArn: topic, Subject: "Receipt does not balance", Message: "bronze ≠ silver\n1 record" },
  });
});

test("characters that SNS rejects in a subject are replaced", async () => {
  await notifier.notify({ subject: `bronze ≠\nsilver ${"x".repeat(200)}`, text: "…" });
  await notifier.notify({ subject: "≠", text: "…" });
  const [first, second] = server.calls.map(({ input }) => String(input["Subject"]));
  expect(first).toMatch(/^bronze silver x+$/);
  expect(first).toHaveLength(100);
  expect(second).toBe("Pizza sales");
});

test("a text that is too long is truncated between two characters, with a mark", async () => {
  const longest = "€".repeat(87_381);
  await notifier.notify({ subject: "long", text: longest });
  await notifier.notify({ subject: "too long", text: `${longest}€` });
  const [whole, shortened] = server.calls.map(({ input }) => String(input["Message"]));
  expect(whole).toBe(longest);
  expect(shortened).toMatch(/^€+\n… \(truncated\)$/);
  expect(Buffer.byteLength(shortened!)).toBeLessThanOrEqual(256 * 1024);
});

test("throttling is retried; a rejection says what to do", async () => {
  failures.push(new AwsFault("Throttling"));
  await notifier.notify({ subject: "again", text: "again" });
  expect(server.calls).toHaveLength(2);
  failures.push(new AwsFault("AuthorizationError", { status: 403 }));
  await expect(notifier.notify({ subject: "a", text: "b" })).rejects.toThrow(
    `SNS topic ${topic}: could not publish: access is denied: the role needs sns:Publish`,
  );
  failures.push(new AwsFault("NotFound", { status: 404 }));
  await expect(notifier.notify({ subject: "a", text: "b" })).rejects.toThrow("the topic does not exist");
});
