import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot, type LocalStackHome } from "./paths.ts";

/**
 * Runs a cdk command in the project's folder to its end, with all that it writes kept below the home. Of the caller's
 * settings it gets none that begin with AWS: only those in `environment`. An error carries cdk's last words.
 */
export async function cdk(
  args: string[],
  { home, environment }: { home: LocalStackHome; environment: Record<string, string> },
): Promise<void> {
  const program = createRequire(import.meta.url).resolve("aws-cdk/bin/cdk");
  const path = join(home.logs, "cdk.log");
  const log = openSync(path, "a");
  const from = statSync(path).size;
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  const child = spawn(process.execPath, [program, ...args, "--no-notices", "--ci"], {
    cwd: projectRoot,
    stdio: ["ignore", log, log],
    env: {
      ...Object.fromEntries(inherited),
      ...environment,
      // The app is started by the name of its program.
      PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(":"),
      TMPDIR: home.temporary,
      // Below it cdk and the app keep their caches.
      HOME: home.files,
      CDK_DISABLE_CLI_TELEMETRY: "true",
      NO_COLOR: "1",
    },
  });
  closeSync(log);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (code === 0) return;
  const words = readFileSync(path).subarray(from).toString().trim().split("\n").slice(-25).join("\n");
  throw new Error(`cdk ${args[0]} failed (${code ?? signal}); its log ${path} ends with:\n${words}`);
}
