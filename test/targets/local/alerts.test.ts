import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { expect, it } from "vitest";
import { alertSettings, createAlerts } from "../../../targets/local/alerts.ts";

const alert = { subject: "Pizza sales: PostgreSQL does not answer", text: "What to do: ./pizza restart." };

it("an alert is posted to the webhook, again after an error", async () => {
  const received: unknown[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      received.push({ type: request.headers["content-type"], body });
      response.writeHead(received.length === 1 ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const logged: string[] = [];
  const settings = alertSettings({
    PIZZA_ALERT_WEBHOOK: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
  });
  const alerts = createAlerts({ settings, log: (text) => logged.push(text), pause: 1 });
  await alerts.notify(alert);
  await alerts.settled();
  server.close();
  const body = { text: `${alert.subject}\n${alert.text}`, subject: alert.subject, body: alert.text };
  const post = { type: "application/json", body };
  expect(received).toEqual([post, post]);
  expect(logged).toEqual([`${alert.subject}\n${alert.text}`]);
});

it("an alert is the input of the command, and its subject cannot run anything", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pizza-alert-"));
  const file = join(folder, "mail");
  const settings = alertSettings({ PIZZA_ALERT_COMMAND: `{ echo "$PIZZA_ALERT_SUBJECT"; cat; } > ${file}` });
  const subject = `$(touch ${folder}/x); it's red`;
  const alerts = createAlerts({ settings, log: () => {} });
  await alerts.notify({ ...alert, subject });
  await alerts.settled();
  expect(readFileSync(file, "utf8")).toBe(`${subject}\n${alert.text}\n`);
  rmSync(folder, { recursive: true });
});

it("a delivery that fails three times is an error in the log", async () => {
  const logged: string[] = [];
  const log = (text: string) => logged.push(text);
  const alerts = createAlerts({ settings: { command: "exit 7" }, log, pause: 1 });
  await alerts.notify(alert);
  await alerts.settled();
  expect(logged.at(-1)).toBe("the alert did not reach PIZZA_ALERT_COMMAND: it exits with code 7");
});

it("a webhook that is no address is rejected at once", () => {
  expect(() => alertSettings({ PIZZA_ALERT_WEBHOOK: "slack" })).toThrow("begins with http:// or https://");
});
