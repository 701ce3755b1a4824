import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, ftruncateSync, fstatSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../../pipeline/domain/errors.ts";

const asRoot = process.getuid?.() === 0;
/** A mount that only the program started in it sees; without root it is made in a user namespace. */
const namespace = asRoot ? ["--mount"] : ["--map-current-user", "--keep-caps", "--mount"];
const mount = "mount -t tmpfs -o size=4m,mode=777 tmpfs";

/** Whether the tests can mount a small disk on this machine. */
export function canMountDisk(): boolean {
  if (process.platform !== "linux") return false;
  const dir = mkdtempSync(join(tmpdir(), "pizza-disk-"));
  try {
    return spawnSync("unshare", [...namespace, "sh", "-c", `${mount} "$0"`, dir]).status === 0;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Runs a scenario of `full-disk-scenario.ts` with a real 4 MiB disk as its first argument; returns the JSON it prints.
 */
export async function onSmallDisk<Seen>(scenario: string): Promise<Seen> {
  const dir = mkdtempSync(join(tmpdir(), "pizza-disk-"));
  const script = new URL("full-disk-scenario.ts", import.meta.url).pathname;
  const command = `${mount} "$0" && exec "$@"`;
  try {
    const disk = join(dir, "disk");
    const shell = ["sh", "-c", `mkdir "$0" && ${command}`, disk, process.execPath, script, disk, scenario];
    const child = spawn("unshare", [...namespace, ...shell], { stdio: ["ignore", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    if (code !== 0) throw new Error(`scenario ${scenario} ended with ${code}: its message stands above`);
    return JSON.parse(stdout) as Seen;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Starts a program that finds a real 4 MiB disk in a folder; it has the same process id as the returned child. */
export function spawnOnSmallDisk(folder: string, ...program: string[]): ChildProcess {
  return spawn("unshare", [...namespace, "sh", "-c", `${mount} "$0" && exec "$@"`, folder, ...program], {
    stdio: "ignore",
  });
}

const page = 4096;

/** A file that takes up all free space on a disk. */
export function createBallast(disk: string) {
  const path = join(disk, "ballast");
  return {
    /** Leaves space for that many pages of 4 KiB. */
    fill(pagesLeft = 0): void {
      const file = openSync(path, "a");
      try {
        while (grows(file));
        ftruncateSync(file, fstatSync(file).size - pagesLeft * page);
      } finally {
        closeSync(file);
      }
    },
    remove: () => unlinkSync(path),
  };
}

function grows(file: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(page, 1)) === page;
  } catch (error) {
    if (errorCode(error) === "ENOSPC") return false;
    throw error;
  }
}
