import { spawn } from "node:child_process";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import type { Command } from "../options.ts";
import { print, printJson, say } from "../output.ts";
import { start } from "./service.ts";

export const openConsole: Command = {
  summary: "open the console, a web page that shows the local pipeline and explains every number",
  examples: ["console", "console --no-open"],
  usage: "console [--no-open]",
  localOnly: {
    aws: (environment) => `./pizza status, explain and verify answer the same questions with --env ${environment}`,
    localstack: "./pizza status, explain and verify answer the same questions",
  },
  options: { "no-open": { type: "boolean", about: "print the address, and open no browser" } },
  async run(values) {
    const folder = dataDirectory(values.dir);
    if (runningProcess(folder) === undefined) await start.run({ ...values, json: false, port: undefined }, []);
    const running = runningProcess(folder);
    if (running === undefined) throw new Error(`the local pipeline in ${folder.root} has ended: see ./pizza logs`);
    const { path } = await connectPipeline(folder).console();
    const url = `http://127.0.0.1:${running.port}${path}`;
    const isOpened = values["no-open"] !== true && !values.json && (await openBrowser(url));
    if (values.json) printJson({ url });
    else print(url);
    if (!values.json) say(isOpened ? "opened in the browser" : "open this address within ten minutes; it works once");
  },
};

/** Programs that open an address in the user's browser; `start` is part of the Windows shell. */
const openers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** Resolves to false where there is no desktop, or no program that opens an address. */
async function openBrowser(url: string): Promise<boolean> {
  const { platform, env } = process;
  if (platform === "linux" && env["DISPLAY"] === undefined && env["WAYLAND_DISPLAY"] === undefined) return false;
  const [program, ...args] = openers[platform] ?? [];
  if (program === undefined) return false;
  const child = spawn(program, [...args, url], { detached: true, stdio: "ignore" });
  return await new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
