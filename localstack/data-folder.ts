import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { localStackHome, type LocalStackHome } from "../targets/localstack-place.ts";

const markerText = "LocalStack of the pizza pipeline: node bin/localstack.ts clean removes what lies here.\n";

/** Git is told to look past the folder; and Node would take the project's package.json for that of a function's code. */
const fixedFiles = { ".gitignore": "*\n", "package.json": "{}\n" };

/** Refuses a folder that holds anything and that no command of ours made: nothing in it is written or removed. */
export function checkFolder(home: LocalStackHome): void {
  if (isEmpty(home.root) || existsSync(home.marker) || isUnmarked(home)) return;
  throw new Error(
    `${home.root} is not a folder of LocalStack's: nothing in it was touched; give --dir an empty folder, a new one, or one ` +
      `that a start made (${basename(home.marker)} lies in it)`,
  );
}

/** Makes the folders that every run needs, in a folder that is ours or becomes it. */
export function makeFolders(home: LocalStackHome): void {
  checkFolder(home);
  mkdirSync(home.root, { recursive: true });
  writeFileSync(home.marker, markerText);
  for (const folder of [home.files, home.temporary, home.logs]) mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(fixedFiles)) writeFileSync(join(home.root, name), text);
}

/** Removes what a run leaves, where the folder is ours. */
export function removeRun(home: LocalStackHome): void {
  checkFolder(home);
  for (const folder of [home.temporary, home.postgres]) rmSync(folder, { recursive: true, force: true });
}

/** Removes all that is ours, and the folder where nothing else lies in it; gives back the names of what does. */
export function removeFolder(home: LocalStackHome): string[] {
  checkFolder(home);
  if (!existsSync(home.root)) return [];
  for (const name of ownNames(home)) rmSync(join(home.root, name), { recursive: true, force: true });
  const others = readdirSync(home.root);
  if (others.length === 0) rmdirSync(home.root);
  return others;
}

/**
 * As earlier versions left it, without a marker: nothing but what they made, with their two files as they wrote them. The
 * project's own folder need not be whole.
 */
function isUnmarked(home: LocalStackHome): boolean {
  if (ownNames(home).length < readdirSync(home.root).length) return false;
  return (
    home.root === localStackHome().root || Object.entries(fixedFiles).every(([name, text]) => holds(home, name, text))
  );
}

function holds({ root }: LocalStackHome, name: string, text: string): boolean {
  const path = join(root, name);
  return existsSync(path) && readFileSync(path, "utf8") === text;
}

/** What lies in the folder and is ours. The marker is last: what a killed removal leaves is still known as ours. */
function ownNames(home: LocalStackHome): string[] {
  const { venv, files, temporary, postgres, logs, state, deployed, lock, marker } = home;
  const made = [
    venv,
    files,
    temporary,
    postgres,
    logs,
    state,
    `${state}.new`,
    deployed,
    `${deployed}.new`,
    lock,
    marker,
  ];
  const own = [...made.map((path) => basename(path)), ...Object.keys(fixedFiles)];
  const isOwn = (name: string): boolean => own.includes(name) || name.startsWith(`${basename(lock)}.`);
  const found = readdirSync(home.root).filter(isOwn);
  return found.toSorted((a, b) => Number(a === basename(marker)) - Number(b === basename(marker)));
}

/** Whether there is nothing in the folder, or no folder. */
export function isEmpty(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}
