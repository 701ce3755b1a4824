import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import type { BackupInfo } from "../../pipeline/backup/manifest.ts";
import type { Command, Values } from "../options.ts";
import { count, print, printJson, say, textTable, UsageError } from "../output.ts";
import { withReadOnlyPipeline, withPipeline, withDeployedPipeline, withProgress } from "../with-target.ts";

export const backup: Command = {
  summary: "back up gold and the ledgers, and verify the backup with a test restore",
  examples: ["backup", "backup --list"],
  usage: "backup [--list] [--json]",
  options: { list: { type: "boolean", about: "list the backups, newest first" } },
  async run(values) {
    if (values["list"] === true) return await list(values);
    const { output, milliseconds } = await withPipeline(values, (pipeline) =>
      withProgress(pipeline, pipeline.run({ workflow: "backup" })),
    );
    const { backup: made, snapshot } = output as { backup: BackupSummary; snapshot: { snapshot: string | null } };
    if (values.json) return printJson({ ...made, proven: true, snapshot: snapshot.snapshot, milliseconds });
    print(summary(made, "created and verified by a test restore"));
    if (snapshot.snapshot !== null) print(`snapshot       ${snapshot.snapshot}`);
  },
};

export const restore: Command = {
  summary: "restore a backup into an empty warehouse (default: the newest verified one)",
  examples: ["restore", "restore 20261130T221216665Z --from /mnt/backups"],
  usage: "restore [<id>] [--from FOLDER] [--json]",
  mostWords: 1,
  options: {
    from: { type: "string", about: "folder with the backups (default: the data directory's own; --target local)" },
  },
  async run(values, [id]) {
    const restored = await restoreInto(values, id);
    if (values.json) return printJson(restored);
    print(summary(restored, "restored"));
    say("run ./pizza start or ./pizza run silver_to_gold to publish what has changed in silver since the backup");
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
  if (from !== undefined) {
    throw new UsageError("--from works only with --target local: a deployed pipeline restores from its own bucket");
  }
  return await withDeployedPipeline(values, (pipeline) => pipeline.restore(id));
}

async function list(values: Values): Promise<void> {
  const backups = await withReadOnlyPipeline(values, (pipeline) => pipeline.backups());
  if (values.json) return printJson(backups);
  print(textTable(backups.map(rowOf)));
  for (const one of backups) if ("problem" in one) say(one.problem);
}

function rowOf(one: BackupInfo) {
  if ("problem" in one) return { backup: one.id, verified: "damaged", rows: "", bytes: "", silver: "", gold: "" };
  const { id, isProven, rows, bytes, silverVersion, goldHash } = one;
  return {
    backup: id,
    verified: isProven ? "yes" : "no",
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
