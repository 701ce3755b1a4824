#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";

// A reader such as `head` closes the pipe early: exit as a program killed by SIGPIPE does (128 + 13).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(141);
});
process.exitCode = await runCommandLine(process.argv.slice(2));
// A call that never returns, such as one of a server that is silent, must not keep the program alive.
const patienceMs = 300;
process.stdout.write("", () => setTimeout(() => process.exit(), patienceMs).unref());
