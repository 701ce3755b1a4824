/**
 * Prints the CHANGELOG.md section of the version in package.json: `node scripts/release-notes.ts`. Needs no packages.
 */
import { readFileSync } from "node:fs";

/** The text below the version's heading, such as `## 1.2.3 - 2026-11-30`. */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).map((section) => {
    const [heading = "", ...lines] = section.split("\n");
    return { heading: heading.trim(), text: lines.join("\n").trim() };
  });
  const section = sections.find(({ heading }) => heading.split(" ")[0] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${version}`);
  if (!/^\S+ - \d{4}-\d{2}-\d{2}$/.test(section.heading)) {
    throw new Error(`the heading "${section.heading}" in CHANGELOG.md needs a date: "${version} - YYYY-MM-DD"`);
  }
  if (section.text === "") throw new Error(`the section for ${version} in CHANGELOG.md is empty`);
  return section.text;
}

if (import.meta.main) {
  const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  const { version }: { version: string } = JSON.parse(read("package.json"));
  try {
    console.log(releaseNotes(read("CHANGELOG.md"), version));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
