import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { localStackDirectory, type LocalStackDirectory } from "../targets/localstack-place.ts";

const markerText = "LocalStack of the pizza pipeline: node bin/localstack.ts clean removes what lies here.\n";

/** Git is told to look past the folder; and Node would take the project's package.json for that of a function's code. */
const fixedFiles = { ".gitignore": "*\n", "package.json": "{}\n" };

/** Refuses a folder that holds anything and that no command of ours made: nothing in it is written or removed. */
export function checkFolder(directory: LocalStackDirectory): void {
  if (isEmpty(directory.root) || existsSync(directory.marker) || isUnmarked(directory)) return;
  throw new Error(
    `${directory.root} is not a folder of LocalStack's: nothing in it was touched; give --dir an empty folder, a new one, or one ` +
      `that a start made (${basename(directory.marker)} lies in it)`,
  );
}

/** Makes the folders that every run needs, in a folder that is ours or becomes it. */
export function makeFolders(directory: LocalStackDirectory): void {
  checkFolder(directory);
  mkdirSync(directory.root, { recursive: true });
  writeFileSync(directory.marker, markerText);
  for (const folder of [directory.files, directory.temporary, directory.logs]) mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(fixedFiles)) writeFileSync(join(directory.root, name), text);
}

/** Removes what a run leaves, where the folder is ours. */
export function removeRun(directory: LocalStackDirectory): void {
  checkFolder(directory);
  for (const folder of [directory.temporary, directory.postgres]) rmSync(folder, { recursive: true, force: true });
}

/** Removes all that is ours, and the folder where nothing else lies in it; gives back the names of what does. */
export function removeFolder(directory: LocalStackDirectory): string[] {
  checkFolder(directory);
  if (!existsSync(directory.root)) return [];
  for (const name of ownNames(directory)) rmSync(join(directory.root, name), { recursive: true, force: true });
  const others = readdirSync(directory.root);
  if (others.length === 0) rmdirSync(directory.root);
  return others;
}

/**
 * As earlier versions left it, without a marker: nothing but what they made, with their two files as they wrote them. The
 * project's own folder need not be whole.
 */
function isUnmarked(directory: LocalStackDirectory): boolean {
  if (ownNames(directory).length < readdirSync(directory.root).length) return false;
  return (
    directory.root === localStackDirectory().root ||
    Object.entries(fixedFiles).every(([name, text]) => holds(directory, name, text))
  );
}

function holds({ root }: LocalStackDirectory, name: string, text: string): boolean {
  const path = join(root, name);
  return existsSync(path) && readFileSync(path, "utf8") === text;
}

/** What lies in the folder and is ours. The marker is last: what a killed removal leaves is still known as ours. */
function ownNames(directory: LocalStackDirectory): string[] {
  const { venv, files, temporary, postgres, logs, state, deployed, lock, marker } = directory;
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
  const found = readdirSync(directory.root).filter(isOwn);
  return found.toSorted((a, b) => Number(a === basename(marker)) - Number(b === basename(marker)));
}

/** Whether there is nothing in the folder, or no folder. */
export function isEmpty(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}
