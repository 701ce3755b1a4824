import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";

const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;

it("the command line exits silently when the reader closes the pipe", async () => {
  const child = spawn(process.execPath, [script, "help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect({ said, code }).toEqual({ said: "", code: 141 });
});
