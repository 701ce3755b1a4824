import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SettingsError } from "./config.ts";

/** A state machine's file. */
export interface WorkflowFile {
  /** File name without extension, such as `bronze_to_silver`. */
  name: string;
  /** Amazon States Language definition with a placeholder `${Name}` for each function. */
  definition: string;
  /** Names of the functions it calls. */
  placeholders: string[];
  /** Input of a scheduled run, from `<name>.input.json`. */
  input: object;
}

export const workflowFolder = fileURLToPath(new URL("../step-functions/", import.meta.url));

/** Every workflow of a folder, by name. */
export function readWorkflows(folder: string): WorkflowFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".asl.json"))
    .toSorted()
    .map((file) => readWorkflow(folder, file));
}

function readWorkflow(folder: string, file: string): WorkflowFile {
  const name = file.replace(/\.asl\.json$/, "");
  const definition = JSON.stringify(readJson(join(folder, file)));
  const inputFile = join(folder, `${name}.input.json`);
  if (!existsSync(inputFile)) {
    throw new SettingsError(
      `workflow ${name} has no file ${name}.input.json: create it with the input of a scheduled run, such as {}`,
    );
  }
  const placeholders = [...new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map(([, placeholder]) => placeholder!))];
  return { name, definition, placeholders, input: readJson(inputFile) };
}

function readJson(file: string): object {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as object;
  } catch (cause) {
    throw new SettingsError(`file ${file} is not valid JSON: fix it`, { cause });
  }
}
