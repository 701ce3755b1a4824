import { hash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { backUpWarehouse } from "../../../pipeline/backup/back-up-warehouse.ts";
import { expireBackups, verifyBackup } from "../../../pipeline/backup/verify-backup.ts";
import {
  backupFolder,
  backupId,
  listBackupKeys,
  listBackups,
  manifestKey,
  proofKey,
  readManifest,
  type BackupFile,
  goldHash,
} from "../../../pipeline/backup/manifest.ts";
import { publishCatalog } from "../../../pipeline/gold/migrate.ts";
import { restoreBackup } from "../../../pipeline/backup/restore-backup.ts";
import type { TransactionalWarehouse } from "../../../pipeline/ports.ts";
import { openDataApi } from "../../adapters/data-api-fixture.ts";
import { openBackupPipeline, someOrders, type BackupPipeline } from "./backup-fixture.ts";

let pipeline: BackupPipeline;
let api: Awaited<ReturnType<typeof openDataApi>>;
let logins: Record<string, { owner: TransactionalWarehouse; writer: TransactionalWarehouse }>;

beforeAll(async () => {
  pipeline = await openBackupPipeline();
  api = await openDataApi(pipeline.postgres);
  logins = {
    PostgreSQL: { owner: pipeline.owner, writer: pipeline.writer },
    "the Data API": { owner: api.connect("owner"), writer: api.connect("writer") },
  };
});

afterAll(async () => {
  await api?.close();
  await pipeline?.close();
});

const tables = async () =>
  await pipeline.owner.query("select table_name, row_count, hash from ops.backup_contents() order by table_name");
const schemas = async () =>
  (await pipeline.owner.query<{ nspname: string }>("select nspname from pg_namespace where nspname like 'trial%'"))
    .length;

describe.each(["PostgreSQL", "the Data API"])("a backup over %s", (name) => {
  const place = () => ({ ...pipeline, warehouse: logins[name]!.writer });
  const asOwner = () => ({ ...pipeline, warehouse: logins[name]!.owner });
  const make = async () => {
    const { id } = await backUpWarehouse(place());
    await verifyBackup(asOwner(), { id, keepDays: 30 });
    return id;
  };

  beforeEach(async () => {
    await pipeline.empty();
    await pipeline.publishOrders();
  });

  it("restores every row of every table into an empty warehouse, and the sequences continue", async () => {
    const before = await tables();
    const gold = await goldHash(pipeline.writer);
    const summary = await backUpWarehouse(place());
    expect(summary).toMatchObject({ goldHash: gold.hash, silverVersion: 0 });
    await pipeline.empty();
    const [{ next }] = (await pipeline.owner.query("select nextval('ops.publish_id') as next")) as [{ next: string }];
    await pipeline.owner.query("select setval('ops.publish_id', 1)");
    const restored = await restoreBackup(asOwner(), { id: summary.id });
    expect(restored).toEqual(summary);
    expect(await tables()).toEqual(before);
    expect((await goldHash(pipeline.writer)).hash).toBe(gold.hash);
    expect(await pipeline.owner.query("select nextval('ops.publish_id') as next")).toEqual([{ next }]);
    // A publish continues from the ledger: it skips what gold already shows.
    const again = await pipeline.publish(0, someOrders);
    expect(again.windows).toMatchObject({ published: 0, skipped: 3 });
  });

  it("is verified by a test restore that leaves nothing behind", async () => {
    const before = await tables();
    const id = await make();
    expect(await listBackups(pipeline.backups)).toContainEqual(expect.objectContaining({ id, isProven: true }));
    expect(await tables()).toEqual(before);
    expect(await schemas()).toBe(0);
  });

  it("is rejected, with the reason, if one of its files is damaged, truncated or missing", async () => {
    const id = await make();
    const [file] = (await readManifest(pipeline.backups, id)).tables.find(
      ({ name: table }) => table === "facts.day_items",
    )!.files as [BackupFile];
    const body = (await pipeline.backups.get(file.key))!;
    const bad = Uint8Array.from(body, (byte, index) => (index === body.length - 5 ? byte ^ 1 : byte));
    const damages = [
      [bad, `the backup is damaged: ${file.key} does not match the hash in its manifest`],
      [body.subarray(0, -3), `the backup is damaged: ${file.key} does not match the hash in its manifest`],
      [undefined, `the backup is damaged: ${file.key} is missing`],
    ] as const;
    await pipeline.empty();
    for (const [damaged, reason] of damages) {
      if (damaged === undefined) await pipeline.backups.delete(file.key);
      else await pipeline.backups.put(file.key, damaged);
      await expect(restoreBackup(asOwner(), { id })).rejects.toThrow(reason);
      await expect(verifyBackup(asOwner(), { id, keepDays: 30 })).rejects.toThrow(reason);
      expect(await pipeline.owner.query("select from gold.daily_sales_summary")).toEqual([]);
    }
    await pipeline.backups.put(file.key, body);
    await restoreBackup(asOwner(), { id });
  });

  it("is rejected if its files are intact but its rows differ from those that were backed up", async () => {
    const id = await make();
    const manifest = await readManifest(pipeline.backups, id);
    const forge = async (files: (file: BackupFile) => Promise<BackupFile[]>) => {
      const held = manifest.tables.map((table) => ({ ...table }));
      const table = held.find((one) => one.name === "gold.hourly_trends")!;
      table.files = await files(table.files[0]!);
      await pipeline.backups.put(manifestKey(id), Buffer.from(JSON.stringify({ ...manifest, tables: held })));
      await expect(verifyBackup(asOwner(), { id, keepDays: 30 })).rejects.toThrow(
        "the backup is damaged: rows of gold.hourly_trends differ from those that were backed up",
      );
    };
    await forge(async () => []);
    await forge(async (file) => {
      const rows = zstdDecompressSync((await pipeline.backups.get(file.key))!).toString();
      const body = zstdCompressSync(Buffer.from(rows.replace('"pizzas": 1', '"pizzas": 7')));
      await pipeline.backups.put(file.key, body);
      return [{ ...file, sha256: hash("sha256", body) }];
    });
  });
});

describe("a restore", () => {
  const owner = () => ({ ...pipeline, warehouse: pipeline.owner });
  const writer = () => ({ ...pipeline, warehouse: pipeline.writer });

  beforeEach(async () => {
    await pipeline.empty();
    await pipeline.publishOrders();
  });

  it("shows the menu of today, whatever it was when the backup was made", async () => {
    const { id } = await backUpWarehouse(writer());
    await pipeline.empty();
    const [first, ...others] = pipeline.catalog.menu;
    const menu = [{ ...first!, name: "Renamed" }, ...others.slice(1)];
    await publishCatalog(pipeline.writer, { ...pipeline.catalog, menu });
    await restoreBackup({ ...owner(), catalog: { ...pipeline.catalog, menu } }, { id });
    const shown = await pipeline.owner.query("select name from gold.menu where pizza_id in ($1, $2)", [
      first!.pizza_id,
      others[0]!.pizza_id,
    ]);
    expect(shown).toEqual([{ name: "Renamed" }]);
    await publishCatalog(pipeline.writer, pipeline.catalog);
  });

  it("uses the newest verified backup", async () => {
    const proven = await backUpWarehouse(writer());
    await verifyBackup(owner(), { id: proven.id, keepDays: 30 });
    const later = await backUpWarehouse(writer());
    await pipeline.empty();
    expect(await restoreBackup(owner(), {})).toMatchObject({ id: proven.id });
    expect(later.id > proven.id).toBe(true);
  });

  it.each(["no json", "null", '{"format":1,"id":"another"}'])(
    "goes past a backup whose manifest is damaged (%s), which is listed as such",
    async (text) => {
      const whole = await backUpWarehouse(writer());
      await verifyBackup(owner(), { id: whole.id, keepDays: 30 });
      const damaged = await backUpWarehouse(writer());
      await verifyBackup(owner(), { id: damaged.id, keepDays: 30 });
      await pipeline.backups.put(manifestKey(damaged.id), Buffer.from(text));
      const problem = `backup ${damaged.id} is damaged: ${manifestKey(damaged.id)} is not a valid manifest`;
      const [first, second] = await listBackups(pipeline.backups);
      expect(first).toEqual({ id: damaged.id, isProven: false, problem });
      expect(second).toMatchObject({ id: whole.id, isProven: true });
      await pipeline.empty();
      await expect(restoreBackup(owner(), { id: damaged.id })).rejects.toThrow(`${problem}; restore another one`);
      expect(await restoreBackup(owner(), {})).toMatchObject({ id: whole.id });
    },
  );

  it("is rejected in a warehouse that is not empty, and changes nothing there", async () => {
    const { id } = await backUpWarehouse(writer());
    const before = await tables();
    await expect(restoreBackup(owner(), { id })).rejects.toThrow(/the warehouse is not empty, facts\.\w+ has \d+ rows/);
    expect(await tables()).toEqual(before);
  });

  it("is rolled back if restored gold does not have the hash that was backed up", async () => {
    const { id } = await backUpWarehouse(writer());
    const manifest = await readManifest(pipeline.backups, id);
    await pipeline.backups.put(manifestKey(id), Buffer.from(JSON.stringify({ ...manifest, goldHash: "another" })));
    await pipeline.empty();
    await expect(restoreBackup(owner(), { id })).rejects.toThrow(/restored gold has the hash \w+, but had another/);
    expect(await pipeline.owner.query("select from gold.daily_sales_summary")).toEqual([]);
  });

  it("tolerates a page of rows that is written twice, as after a lost response", async () => {
    const page = await pipeline.owner.query<{ body: string }>(
      "select body from ops.backup_page('ops.windows', null, 400000)",
    );
    const rows = `[${page.map(({ body }) => body).join(",")}]`;
    const before = await tables();
    await pipeline.owner.query("delete from ops.windows");
    for (const written of [page.length, 0]) {
      const sql = "select ops.restore_rows('ops.windows'::regclass, $1::jsonb) as written";
      expect(await pipeline.owner.query(sql, [rows])).toEqual([{ written }]);
    }
    expect(await tables()).toEqual(before);
  });

  it("is rejected if silver is a different table, or lacks the version, of the backup", async () => {
    const { id } = await backUpWarehouse(writer());
    await pipeline.empty();
    const other = {
      ...pipeline.silver,
      snapshot: async () => ({ ...(await pipeline.silver.snapshot()), metadata: undefined }),
    };
    await expect(restoreBackup({ ...owner(), silver: other }, { id })).rejects.toThrow("belongs to another lake");
    const older = {
      ...pipeline.silver,
      snapshot: async () => ({ ...(await pipeline.silver.snapshot()), version: -1 }),
    };
    await expect(restoreBackup({ ...owner(), silver: older }, { id })).rejects.toThrow("the lake ends at -1");
  });

  it("is rejected if the backup was made by a newer release, was never completed, or does not exist", async () => {
    const { id } = await backUpWarehouse(writer());
    const manifest = await readManifest(pipeline.backups, id);
    await pipeline.empty();
    const newer = { ...manifest, migrations: [...manifest.migrations, "000999_later.sql"] };
    await pipeline.backups.put(manifestKey(id), Buffer.from(JSON.stringify(newer)));
    await expect(restoreBackup(owner(), { id })).rejects.toThrow("this one lacks 000999_later.sql");
    await pipeline.backups.put(manifestKey(id), Buffer.from("{"));
    await expect(restoreBackup(owner(), { id })).rejects.toThrow(`backup ${id} is damaged`);
    await pipeline.backups.delete(manifestKey(id));
    await expect(restoreBackup(owner(), { id })).rejects.toThrow(`backup ${id} does not exist or was never completed`);
  });
});

describe("old backups", () => {
  it("are deleted once a newer one is verified, but never the last three verified ones", async () => {
    for (const { key } of await pipeline.backups.list("")) await pipeline.backups.delete(key);
    const dayMs = 24 * 3_600_000;
    const start = Date.parse("2026-01-01T00:00:00Z");
    const made: string[] = [];
    for (let day = 0; day < 6; day++) {
      const clock = () => start + day * dayMs;
      const { id } = await backUpWarehouse({ ...pipeline, warehouse: pipeline.writer, clock });
      made.push(id);
      // The second one was never verified, as after a crash.
      if (day !== 1) await verifyBackup({ ...pipeline, warehouse: pipeline.owner, clock }, { id, keepDays: 1 });
    }
    const left = (await listBackups(pipeline.backups)).map(({ id }) => id);
    expect(left).toEqual(made.slice(3).toReversed());
    expect(await pipeline.backups.list(backupFolder(made[1]!))).toEqual([]);
    expect(await pipeline.backups.get(proofKey(made[5]!))).toBeDefined();
  });
});

describe("expired backups", () => {
  const dayMs = 24 * 3_600_000;
  const start = Date.parse("2026-01-01T00:00:00Z");
  const key = (id: string, name: string) => `${backupFolder(id)}${name}`;
  const daysAgo = (days: number) => backupId(start - days * dayMs);
  let backups: typeof pipeline.backups;
  beforeEach(async () => {
    backups = openFolderStore(mkdtempSync(join(pipeline.dir, "expiring-")));
    for (let days = 9; days >= 0; days--) {
      for (const name of ["gold.a/00000.jsonl.zst", "manifest.json", "proven.json"]) {
        await backups.put(key(daysAgo(days), name), Buffer.from("{}"));
      }
    }
  });
  const expire = (over = backups) => expireBackups({ backups: over, clock: () => start }, { keepDays: 5 });

  it("are exactly those that are older than the retention", async () => {
    expect(await expire()).toEqual([9, 8, 7, 6].map(daysAgo));
    expect([...(await listBackupKeys(backups)).keys()]).toEqual([5, 4, 3, 2, 1, 0].map(daysAgo));
    expect(await expire()).toEqual([]);
  });

  it("lose their manifest first: a partly deleted one is incomplete, and the next run deletes the rest", async () => {
    let deletions = 0;
    const dying = {
      ...backups,
      delete: async (name: string) => {
        if (deletions++ > 0) throw new Error("killed");
        await backups.delete(name);
      },
    };
    await expect(expire(dying)).rejects.toThrow("killed");
    const left = (await listBackupKeys(backups)).get(daysAgo(9));
    expect(left).toEqual([key(daysAgo(9), "gold.a/00000.jsonl.zst"), key(daysAgo(9), "proven.json")]);
    expect(await expire()).toContain(daysAgo(9));
    expect((await listBackupKeys(backups)).get(daysAgo(9))).toBeUndefined();
  });
});

describe("copying a table", () => {
  const clock = () => Date.parse("2026-02-01T00:00:00Z");
  const file = `${backupFolder(backupId(clock()))}gold.hourly_trends/00000.jsonl.zst`;
  beforeEach(async () => {
    await pipeline.empty();
    await pipeline.publishOrders();
    for (const { key } of await pipeline.backups.list("")) await pipeline.backups.delete(key);
  });

  it("does not use a file of another backup with the same id", async () => {
    await pipeline.backups.put(file, Buffer.from("another's rows"));
    const making = backUpWarehouse({ ...pipeline, warehouse: pipeline.writer, clock });
    await expect(making).rejects.toThrow(`another process has written ${file}; make another backup`);
    expect(await listBackups(pipeline.backups)).toEqual([]);
  });

  it("recognizes its own file if a put lost its response", async () => {
    const forgetful: typeof pipeline.backups = {
      ...pipeline.backups,
      put: async (key, body, options) => (await pipeline.backups.put(key, body, options)) && key !== file,
    };
    const { id } = await backUpWarehouse({ ...pipeline, backups: forgetful, warehouse: pipeline.writer, clock });
    const proven = await verifyBackup({ ...pipeline, warehouse: pipeline.owner }, { id, keepDays: 30 });
    expect(proven).toMatchObject({ id, removed: [] });
  });

  it("continues after a row that is longer than a page", async () => {
    const [first, second] = await pipeline.owner.query<{ body: string }>(
      "select body from ops.backup_page('gold.hourly_trends', null, 400000) limit 2",
    );
    const page = "select body from ops.backup_page('gold.hourly_trends', $1::jsonb, 10)";
    expect(await pipeline.owner.query(page, [null])).toEqual([first]);
    expect(await pipeline.owner.query(page, [first!.body])).toEqual([second]);
  });
});

it("every table in a backup has a key", async () => {
  const without = await pipeline.owner.query(
    "select table_name from ops.backup_tables() where ops.key_columns(table_name::regclass) is null",
  );
  expect(without).toEqual([]);
});

it("a backup reads a consistent snapshot while gold changes", async () => {
  await pipeline.empty();
  await pipeline.publishOrders();
  const before = await goldHash(pipeline.writer);
  const slow = {
    ...pipeline.backups,
    put: async (...put: Parameters<typeof pipeline.backups.put>) => {
      await pipeline.owner.query("update gold.daily_sales_summary set pizzas = pizzas + 1");
      await pipeline.owner.query("delete from gold.hourly_trends");
      return await pipeline.backups.put(...put);
    },
  };
  const { id } = await backUpWarehouse({ ...pipeline, backups: slow, warehouse: pipeline.writer });
  await pipeline.empty();
  await restoreBackup({ ...pipeline, warehouse: pipeline.owner }, { id });
  expect((await goldHash(pipeline.writer)).hash).toBe(before.hash);
});
