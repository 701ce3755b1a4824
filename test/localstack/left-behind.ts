import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalStackDirectory } from "../../targets/localstack-directory.ts";

/** Where LocalStack writes by default, as in its own image. */
const places = ["/var/lib/localstack", "/usr/lib/localstack", "/etc/localstack", "/tmp/localstack"];

/**
 * Gives this process and its children empty folders as the user's home and as /tmp. `leftBehind` returns what these
 * contain later, which default folders appeared, what is left of the run in its data folder, and its running processes.
 */
export function watch(directory: LocalStackDirectory): { leftBehind(): string[]; end(): void } {
  const before = places.filter((address) => existsSync(address));
  const root = mkdtempSync(join(tmpdir(), "pizza-watch-"));
  const folders = { HOME: join(root, "home"), TMPDIR: join(root, "tmp") };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  // The compile cache of vitest.config.ts belongs to the tests, so it stays outside of the watched folders.
  process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "node-compile-cache");
  const own = { HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"] };
  Object.assign(process.env, folders);
  return {
    leftBehind: () => [
      ...places.filter((address) => existsSync(address) && !before.includes(address)),
      ...Object.values(folders).flatMap(filesBelow),
      ...[directory.temporary, directory.postgres, directory.state].filter((path) => existsSync(path)),
      ...processesOf(directory),
    ],
    end() {
      for (const [name, value] of Object.entries(own)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
}

/** Id and command of each process that uses the data folder. */
function processesOf({ root }: LocalStackDirectory): string[] {
  const list = execFileSync("ps", ["-A", "-ww", "-o", "pid=,command="], { encoding: "utf8" });
  return list.split("\n").filter((line) => line.includes(`${root}/`));
}
