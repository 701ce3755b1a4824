import type { ObjectSetAside } from "../../pipeline/silver/set-aside.ts";
import type { Command } from "../options.ts";
import { count, oneLine, print, printJson, say, textTable, UsageError } from "../output.ts";
import { withPipeline, withReadOnlyPipeline } from "../with-target.ts";

export const retry: Command = {
  summary: "list the bronze objects that were set aside because no run got through them, or have them read again",
  examples: ["retry", "retry --all"],
  usage: "retry [<bronze key>... | --all] [--json]",
  mostWords: Infinity,
  options: { all: { type: "boolean", about: "all objects that are set aside" } },
  async run(values, keys) {
    const isAll = values["all"] === true;
    if (isAll && keys.length > 0) throw new UsageError(`give bronze keys or --all\nusage: ./pizza ${retry.usage}`);
    if (!isAll && keys.length === 0) {
      const found = await withReadOnlyPipeline(values, (pipeline) => pipeline.setAside());
      if (values.json) printJson(found);
      else print(listText(found));
      return 0;
    }
    const { read, left } = await withPipeline(values, async (pipeline) => {
      const tried = await pipeline.bringBack(isAll ? {} : { keys });
      if (tried.length > 0) await pipeline.drain();
      const still = (await pipeline.setAside()).filter(({ key }) => tried.includes(key));
      return { read: tried.filter((key) => !still.some((object) => object.key === key)), left: still };
    });
    if (values.json) printJson({ read, setAside: left });
    else {
      for (const key of read) print(`in silver: ${key}`);
      if (left.length > 0) print(listText(left));
      if (read.length + left.length === 0) print("no bronze object is set aside");
    }
    if (left.length > 0) say(`${count(left.length)} objects were set aside again`);
    return left.length > 0 ? 1 : 0;
  },
};

function listText(objects: readonly ObjectSetAside[]): string {
  if (objects.length === 0) return "no bronze object is set aside";
  const rows = objects.map(({ key, records, setAsideAt, reason }) => ({
    set_aside_at: setAsideAt ?? "unknown",
    records,
    reason: oneLine(reason ?? "unknown"),
    bronze_key: key,
  }));
  return `${textTable(rows)}\n\nIf an object is damaged, restore it first. Then: ./pizza retry --all`;
}
