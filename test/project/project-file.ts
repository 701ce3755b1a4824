import { readFileSync } from "node:fs";

/** The part of package.json that these tests read. */
interface PackageFile {
  version: string;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

/** The text of a file, by its path relative to the project's root. */
export function projectFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

export function packageFile(): PackageFile {
  return JSON.parse(projectFile("package.json"));
}
