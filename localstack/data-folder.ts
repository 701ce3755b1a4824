import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { localStackDirectory, type LocalStackDirectory } from "../targets/localstack-directory.ts";

const markerText = "LocalStack of the pizza pipeline: node bin/localstack.ts clean deletes the files here.\n";

/** Makes Git ignore the folder, and keeps Node from applying the project's package.json to the functions' code. */
const fixedFiles = { ".gitignore": "*\n", "package.json": "{}\n" };

/** Throws on a non-empty folder that this project did not create; nothing in it is written or deleted. */
export function checkFolder(directory: LocalStackDirectory): void {
  if (isEmpty(directory.root) || existsSync(directory.marker) || isUnmarked(directory)) return;
  throw new Error(
    `${directory.root} is not a LocalStack data folder: nothing in it was changed; give --dir an empty or new folder, or one ` +
      `created by a start (it contains ${basename(directory.marker)})`,
  );
}

/** Creates the folders that every run needs, in a new, empty or earlier data folder. */
export function makeFolders(directory: LocalStackDirectory): void {
  checkFolder(directory);
  mkdirSync(directory.root, { recursive: true });
  writeFileSync(directory.marker, markerText);
  for (const folder of [directory.files, directory.temporary, directory.logs]) mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(fixedFiles)) writeFileSync(join(directory.root, name), text);
}

/** Deletes a run's temporary files and database. */
export function removeRun(directory: LocalStackDirectory): void {
  checkFolder(directory);
  for (const folder of [directory.temporary, directory.postgres]) rmSync(folder, { recursive: true, force: true });
}

/** Deletes everything this project created, and the folder if it is then empty; returns the remaining files' names. */
export function removeFolder(directory: LocalStackDirectory): string[] {
  checkFolder(directory);
  if (!existsSync(directory.root)) return [];
  for (const name of ownNames(directory)) rmSync(join(directory.root, name), { recursive: true, force: true });
  const others = readdirSync(directory.root);
  if (others.length === 0) rmdirSync(directory.root);
  return others;
}

/**
 * Whether earlier versions, which wrote no marker, created the folder: it has only their files, and both fixed files
 * are unchanged. The project's default folder need not be complete.
 */
function isUnmarked(directory: LocalStackDirectory): boolean {
  if (ownNames(directory).length < readdirSync(directory.root).length) return false;
  return (
    directory.root === localStackDirectory().root ||
    Object.entries(fixedFiles).every(([name, text]) => hasFile(directory, name, text))
  );
}

function hasFile({ root }: LocalStackDirectory, name: string, text: string): boolean {
  const path = join(root, name);
  return existsSync(path) && readFileSync(path, "utf8") === text;
}

/**
 * Files in the folder that this project created. The marker is last, so that an interrupted deletion can be repeated.
 */
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

/** Whether the folder is empty or does not exist. */
export function isEmpty(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}
