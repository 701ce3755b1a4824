import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { errorMessage } from "../../pipeline/domain/errors.ts";
import type { Notifier } from "../../pipeline/ports.ts";
import type { Log } from "./event-log.ts";

/** Where alerts go besides the log. */
export interface AlertSettings {
  /** An HTTP address: each alert is a POST of `{ text, subject, body }`, which Slack and others take as it is. */
  webhook?: string | undefined;
  /** A shell command, such as mail: each alert is its standard input, and its subject is in `PIZZA_ALERT_SUBJECT`. */
  command?: string | undefined;
}

/** The settings in the environment variables `PIZZA_ALERT_WEBHOOK` and `PIZZA_ALERT_COMMAND`. */
export function alertSettings(environment: NodeJS.ProcessEnv): AlertSettings {
  const { PIZZA_ALERT_WEBHOOK: webhook, PIZZA_ALERT_COMMAND: command } = environment;
  if (webhook !== undefined && !/^https?:\/\//.test(webhook)) {
    throw new Error(`PIZZA_ALERT_WEBHOOK ${webhook}: give an address that begins with http:// or https://`);
  }
  return { webhook, command };
}

const attempts = 3;
const pauseMs = 2000;
const limitMs = 30_000;

/** Sends alerts to the log, the webhook and the command. A delivery that fails three times is an error in the log. */
export function createAlerts({
  settings: { webhook, command },
  log,
  pause = pauseMs,
}: {
  settings: AlertSettings;
  log: Log;
  pause?: number;
}): Notifier & { settled: () => Promise<void> } {
  const sending = new Set<Promise<void>>();

  async function deliver(name: string, send: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await send();
        return;
      } catch (error) {
        if (attempt === attempts) {
          log(`the alert did not reach ${name}: ${errorMessage(error)}`, { level: "error", event: "alert_failed" });
          return;
        }
        await sleep(pause);
      }
    }
  }

  /** In the background: a workflow does not wait for a mail server. */
  function begin(name: string, send: () => Promise<void>): void {
    const delivery = deliver(name, send).finally(() => sending.delete(delivery));
    sending.add(delivery);
  }

  return {
    async notify({ subject, text }) {
      log(`${subject}\n${text}`, { level: "alert", event: "alert" });
      if (webhook !== undefined) begin("PIZZA_ALERT_WEBHOOK", () => post(webhook, { subject, text }));
      if (command !== undefined) begin("PIZZA_ALERT_COMMAND", () => runCommand(command, { subject, text }));
    },
    settled: async () => void (await Promise.all(sending)),
  };
}

async function post(webhook: string, { subject, text }: { subject: string; text: string }): Promise<void> {
  const response = await fetch(webhook, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: `${subject}\n${text}`, subject, body: text }),
    signal: AbortSignal.timeout(limitMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answers ${response.status}`);
}

async function runCommand(command: string, { subject, text }: { subject: string; text: string }): Promise<void> {
  const env = { ...process.env, PIZZA_ALERT_SUBJECT: subject };
  const child = spawn("sh", ["-c", command], { env, stdio: ["pipe", "ignore", "ignore"], timeout: limitMs });
  // A command that does not read its input is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(`${text}\n`);
  const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("exit", resolve));
  if (code !== 0) throw new Error(`it exits with code ${code}`);
}
