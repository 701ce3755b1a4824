import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import type { Given } from "../bin/options.ts";

/**
 * Parses the options of an npm script. `--help` prints the usage and exits with 0. An unknown option, or one that
 * `read` throws on, prints the error and the usage and exits with 2.
 */
export function scriptOptions<Options>(
  { usage, options }: { usage: string; options: ParseArgsOptionsConfig },
  read: (values: Given) => Options,
): Options {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean" } } });
    if (values["help"] === true) {
      console.log(usage);
      process.exit(0);
    }
    return read(values);
  } catch (error) {
    const [reason] = (error as Error).message.split(". To specify");
    console.error(`${reason}\n${usage}`);
    return process.exit(2);
  }
}
