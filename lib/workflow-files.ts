import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SettingsError } from "./config.ts";

/** A state machine as its file draws it. */
export interface WorkflowFile {
  /** The file's name without its ending, such as `bronze_to_silver`. */
  name: string;
  /** The definition, JSON text with a `${Name}` wherever a function stands. */
  definition: string;
  /** The names of the functions that it calls. */
  placeholders: string[];
  /** What a scheduled run is given: the file `<name>.input.json` beside the definition. */
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
      `workflow ${name} has no ${name}.input.json beside it: write what a scheduled run is given, such as {}`,
    );
  }
  const placeholders = [...new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map(([, placeholder]) => placeholder!))];
  return { name, definition, placeholders, input: readJson(inputFile) };
}

function readJson(file: string): object {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as object;
  } catch (cause) {
    throw new SettingsError(`file ${file} is not JSON: mend it`, { cause });
  }
}
