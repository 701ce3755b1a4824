import { vi } from "vitest";
import { runCommandLine } from "../../bin/command-line.ts";
import { pizza, type Finished } from "./command-line-fixture.ts";

/** Runs the words after `./pizza` in this process; two at a time would mix their output. */
export async function pizzaInProcess(...words: string[]): Promise<Finished> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await runCommandLine(words), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const seen = new Set<string>();

/**
 * Whether a call of this command must be a process: the first one in a test file, to see the program as its users do,
 * and those that start others with their own command line. The rest may run in the test's process, because a process
 * spends more CPU time on loading than on most commands.
 */
export function needsProcess([command = "", ...words]: string[]): boolean {
  const isFirst = !seen.has(command);
  seen.add(command);
  return isFirst || ["start", "restart", "demo"].includes(command) || words.includes("--background");
}

/** Like `pizza`, but only some of the calls are processes. */
export async function quickPizza(dir: string, ...args: string[]): Promise<Finished> {
  return needsProcess(args) ? await pizza(dir, ...args) : await pizzaInProcess(...args, "--dir", dir);
}
