import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import type { BackupInfo } from "../../pipeline/backup/manifest.ts";
import { count, print, printJson, say, textTable, UsageError } from "../output.ts";
import type { Command, Values } from "../options.ts";
import { withReadOnlyPipeline, withPipeline, withDeployedPipeline } from "../with-target.ts";

export const backup: Command = {
  summary: "copy gold and the ledgers to the backup store, and prove the copy; --list shows what is there",
  usage: "backup [--list] [--json]",
  options: { list: { type: "boolean", about: "show the backups, the newest first" } },
  async run(values) {
    if (values["list"] === true) return await list(values);
    const { output, milliseconds } = await withPipeline(values, (pipeline) => pipeline.run({ workflow: "backup" }));
    const { backup: made, snapshot } = output as { backup: BackupSummary; snapshot: { snapshot: string | null } };
    if (values.json) return printJson({ ...made, proven: true, snapshot: snapshot.snapshot, milliseconds });
    print(summary(made, "made and proven by a restore on trial"));
    if (snapshot.snapshot !== null) print(`snapshot       ${snapshot.snapshot}`);
  },
};

export const restore: Command = {
  summary: "restore a backup into an empty warehouse: the newest that was proven, or the one named",
  usage: "restore [<id>] [--from FOLDER] [--json]",
  mostWords: 1,
  options: { from: { type: "string", about: "embedded home: another folder with backups than the home's own" } },
  async run(values, [id]) {
    const restored = await restoreInto(values, id);
    if (values.json) return printJson(restored);
    print(summary(restored, "restored"));
    say("gold goes on from here: start the home, or run silver_to_gold, and it shows what silver has changed since");
  },
};

async function restoreInto(values: Values, id: string | undefined): Promise<BackupSummary> {
  const { from } = values;
  if (values.target === "local") {
    const { restoreLocalPipeline } = await import("../../targets/local/restore.ts");
    return await restoreLocalPipeline({
      dir: values.dir,
      id,
      from: typeof from === "string" ? from : undefined,
      onLog: say,
    });
  }
  if (from !== undefined) throw new UsageError("--from is for the embedded home: a deployed one has its own bucket");
  return await withDeployedPipeline(values, (pipeline) => pipeline.restore(id));
}

async function list(values: Values): Promise<void> {
  const backups = await withReadOnlyPipeline(values, (pipeline) => pipeline.backups());
  if (values.json) return printJson(backups);
  print(textTable(backups.map(rowOf)));
  for (const one of backups) if ("problem" in one) say(one.problem);
}

function rowOf(one: BackupInfo) {
  if ("problem" in one) return { backup: one.id, proven: "damaged", rows: "", bytes: "", silver: "", gold: "" };
  const { id, isProven, rows, bytes, silverVersion, goldHash } = one;
  return {
    backup: id,
    proven: isProven ? "yes" : "no",
    rows: count(rows),
    bytes: count(bytes),
    silver: silverVersion,
    gold: goldHash.slice(0, 12),
  };
}

function summary({ id, tables, rows, bytes, goldHash, silverVersion }: BackupSummary, done: string): string {
  return [
    `backup         ${id}, ${done}`,
    `holds          ${tables} tables, ${count(rows)} rows, ${count(bytes)} bytes`,
    `gold           hash ${goldHash}, of silver version ${silverVersion}`,
  ].join("\n");
}
