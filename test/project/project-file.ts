import { readFileSync } from "node:fs";

/** What these tests read of package.json. */
interface PackageFile {
  version: string;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

/** The text of a file, by its path from the project's root. */
export function projectFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

export function packageFile(): PackageFile {
  return JSON.parse(projectFile("package.json"));
}
