import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { readCredentials } from "../../targets/local/postgres-credentials.ts";
import { childrenOf, findServer } from "../../targets/local/postgres-process.ts";
import { order } from "../support/order-fixture.ts";
import { canMountDisk, createBallast, spawnOnSmallDisk } from "../targets/local/small-disk.ts";
import { pizza, script, temporaryPipeline } from "./command-line-fixture.ts";
import { pizzaInProcess } from "./command-line-in-process.ts";

const hourMs = 3_600_000;
const { dir, remove } = temporaryPipeline();
const folder = dataDirectory(dir);
const catalog = mkdtempSync(join(tmpdir(), "pizza-catalog-"));

/** A case of the page: the blocks of commands below its heading, each command with its lines of output. */
type Block = { command: string; lines: string[] }[];

const page = readFileSync("docs/operations.md", "utf8");
const section = page.split("## When something goes wrong\n")[1]!.split("\n## ")[0]!;
const cases = new Map(
  section
    .split("\n### ")
    .slice(1)
    .map((text) => [text.split("\n")[0]!, blocksOf(text)]),
);

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/```\n([^]*?)```/g)].map(([, block]) =>
    block!
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command, ...lines] = part.trimEnd().split("\n");
        return { command: command!, lines };
      }),
  );
}

/** What a line looks like whatever its numbers, times, ids and folders are; an ellipsis stands for anything. */
function shapeOf(line: string): string {
  return line
    .replaceAll(dir, "/tmp/pizza")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/\b[0-9a-f]{10}\b/g, "<id>")
    .replaceAll(/\d[\d,.]*(?<![.,])/g, "<n>")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function hasShape(actual: string, wanted: string): boolean {
  const parts = wanted.split("…").map((part) => shapeOf(part).replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`).test(shapeOf(actual));
}

/** Runs the commands of a block as the page gives them, and compares what they print with the page. */
async function follow(block: Block, at = dir): Promise<void> {
  for (const { command, lines } of block) {
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
    if (words[0] === "mv") {
      renameSync(words[1]!.replace(".pizza", at), words[2]!.replace(".pizza", at));
      continue;
    }
    expect(words[0]).toBe("./pizza");
    const readsMenu = ["start", "restart", "rebuild", "restore"].includes(words[1]!);
    const { stdout, stderr } = readsMenu
      ? await pizza(at, ...words.slice(1))
      : await pizzaInProcess(...words.slice(1), "--dir", at);
    const printed = `${stdout}${stderr}`.split("\n");
    for (const line of lines) {
      const isThere = printed.some((one) => hasShape(one, line));
      expect(isThere, `${command} should print\n${line}\nbut prints\n${printed.join("\n")}`).toBe(true);
    }
  }
}

const tillSeqs = new Map<string, number>();

/** An order of a till that numbers its events. */
function sold(id: string, till: string, changes: Record<string, unknown> = {}) {
  const seq = (tillSeqs.get(till) ?? 0) + 1;
  tillSeqs.set(till, seq);
  const now = new Date().toISOString();
  return order({ order_id: id, ordered_at: now, emitted_at: now, producer: { producer_id: till, seq }, ...changes });
}

const send = async (...events: object[]) => await produce(dir, events, "--wait");

async function produce(to: string, events: object[], ...words: string[]): Promise<void> {
  const file = join(catalog, "events");
  writeFileSync(file, events.map((event) => JSON.stringify(event)).join("\n"));
  const { code, stderr } = await pizzaInProcess("produce", "--file", file, "--dir", to, ...words);
  if (code !== 0) throw new Error(stderr);
}

/** Orders of a store, a dozen in one hour. */
const dozen = (store_id: string, hoursAgo: number) =>
  Array.from({ length: 12 }, (_, n) => {
    const ordered_at = new Date(Date.now() - hoursAgo * hourMs).toISOString();
    return sold(`habit/${hoursAgo}/${n}`, `till-${store_id}`, { store_id, ordered_at });
  });

const lastMonth = (id: string) =>
  sold(id, "till-offline", { ordered_at: new Date(Date.now() - 40 * 24 * hourMs).toISOString() });

let environment: string | undefined;
let reportedFrom = Infinity;
beforeAll(async () => {
  cpSync(process.env["PIZZA_CATALOG"]!, catalog, { recursive: true });
  environment = process.env["PIZZA_CATALOG"];
  process.env["PIZZA_CATALOG"] = catalog;
  await pizza(dir, "start");
  await send(lastMonth("in-time"), sold("today", "till-offline"));
  reportedFrom = Date.now() + 61_000;
});

afterAll(async () => {
  await pizzaInProcess("clean", "--yes", "--dir", dir);
  process.env["PIZZA_CATALOG"] = environment;
  rmSync(catalog, { recursive: true });
  rmSync(`${dir}-lost`, { recursive: true, force: true });
  remove();
});

const silverLog = join(folder.lake, "silver", "order_lines", "_delta_log");

/** Each case by its heading: plants the cause, follows the page, and mends what only a person or a till can mend. */
const plants: Record<string, (blocks: Block[]) => Promise<void>> = {
  async "Orders are rejected"([see, cure]) {
    const lines = [{ line_no: 1, pizza_id: "hawaian_m", quantity: 1, unit_price: 13.25 }];
    await send(sold("rejected-1", "till-1", { lines }));
    await follow(see!);
    await follow(cure!);
  },

  async "A menu change came too late"([see, cure]) {
    await send(
      sold("new-price", "till-1", { lines: [{ line_no: 1, pizza_id: "bbq_ckn_s", quantity: 1, unit_price: 14.5 }] }),
    );
    await follow(see!);
    const path = join(catalog, "menu.json");
    const menu = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>[];
    const from = new Date().toISOString().slice(0, 10);
    const yesterday = new Date(Date.parse(from) - 24 * hourMs).toISOString().slice(0, 10);
    const changed = menu.flatMap((pizza_) =>
      pizza_["pizza_id"] === "bbq_ckn_s"
        ? [
            { ...pizza_, valid_to: yesterday },
            { ...pizza_, price_cents: 1450, valid_from: yesterday },
          ]
        : [pizza_],
    );
    writeFileSync(path, JSON.stringify(changed));
    await follow(cure!);
  },

  async "A store is silent"([see]) {
    const weeks = [4, 3, 2, 1].map((week) => week * 168 + 2);
    await send(
      ...weeks.flatMap((hours) => [...dozen("lax-01", hours), ...dozen("chi-01", hours)]),
      ...dozen("chi-01", 2),
    );
    await follow(see!);
    await send(...dozen("lax-01", 2.5));
    const { stdout } = await pizzaInProcess("status", "--dir", dir);
    expect(stdout).not.toContain("silent");
  },

  async "A till has a gap in its numbers"([see, cure]) {
    const [first, missing, last] = ["gap-1", "gap-2", "gap-3"].map((id) => sold(id, "till-gap"));
    await send(first!, last!);
    expect(await pizzaInProcess("run", "data_quality", "--dir", dir)).toMatchObject({ code: 3 });
    await follow(see!);
    await send(missing!);
    await follow(cure!);
    expect((await pizzaInProcess("status", "--dir", dir)).stdout).toMatch(/^receipt {5}BALANCED/m);
  },

  async "A bronze object is poison"([see, cure]) {
    const store = openFolderStore(folder.lake);
    const record = { shard: "shardId-000000000009", sequenceNumber: "1", partitionKey: "till", arrivedAt: Date.now() };
    const landed = [{ ...record, data: Buffer.from("garbage") }];
    const { key } = await landRecords({ store, stream: orderStream }, landed);
    const whole = (await store.get(key))!;
    await store.put(key, whole.subarray(0, 100));
    await pizzaInProcess("run", "bronze_to_silver", "--dir", dir);
    await follow(see!);
    await store.put(key, whole);
    await follow(cure!);
  },

  async "A workflow is stuck"([see, cure]) {
    const { host, port, database, roles } = (await readCredentials(folder.postgres))!;
    const { user, password } = roles.owner;
    const client = new pg.Client({ host, port, database, user, password });
    client.on("error", () => {});
    await client.connect();
    await client.query("begin; lock table gold.daily_sales_summary in access exclusive mode");
    const pipeline = connectPipeline(folder);
    await pipeline.putRecords({
      records: [{ partitionKey: "till", data: Buffer.from(JSON.stringify(sold("stuck", "till-1"))) }],
    });
    const running = async () => (await pipeline.status()).workflows.some(({ state }) => state === "Publish windows");
    await expect.poll(running, { interval: 200 }).toBe(true);
    await follow(see!);
    await follow(cure!);
  },

  async "The database hangs"([see, cure]) {
    const { pid } = findServer(join(folder.postgres, "data"))!;
    for (const each of [pid, ...childrenOf(pid)]) process.kill(each, "SIGSTOP");
    await follow(see!);
    await follow(cure!);
    expect((await pizzaInProcess("status", "--dir", dir)).stdout).not.toContain("does not answer");
  },

  async "Orders of last month arrive late"([see]) {
    await expect.poll(() => Date.now(), { timeout: 120_000 }).toBeGreaterThan(reportedFrom);
    await pizzaInProcess("run", "silver_to_gold", "--dir", dir);
    await send(lastMonth("late"));
    await follow(see!);
  },

  async "The process was killed"([see]) {
    const { pid } = runningProcess(folder)!;
    process.kill(pid, "SIGKILL");
    await expect.poll(() => runningProcess(folder)).toBeUndefined();
    await follow(see!);
  },

  async "The database's credentials are lost"([see, cure]) {
    expect(await pizzaInProcess("backup", "--dir", dir)).toMatchObject({ code: 0 });
    expect(await pizzaInProcess("stop", "--dir", dir)).toMatchObject({ code: 0 });
    rmSync(join(folder.postgres, "credentials.json"));
    await follow(see!);
    await follow(cure!);
  },

  async "The lake is older than the warehouse"([see, cure]) {
    await send(sold("newest", "till-1"));
    expect(await pizzaInProcess("stop", "--dir", dir)).toMatchObject({ code: 0 });
    const silver = openSilver({ store: openFolderStore(folder.lake), clock: Date.now });
    const { version } = await silver.snapshot();
    for (const name of readdirSync(silverLog)) {
      if (name.startsWith(String(version).padStart(20, "0"))) rmSync(join(silverLog, name));
    }
    await follow(see!);
    await follow(cure!);
  },
};

describe("what the page says is what an operator sees, and what helps", () => {
  it.each(Object.keys(plants))("%s", async (name) => {
    expect(cases.get(name)).toBeDefined();
    await plants[name]!(cases.get(name)!);
  });

  it.skipIf(!canMountDisk())("The disk is full", async () => {
    const full = `${dir}-full`;
    const { lake } = dataDirectory(full);
    mkdirSync(lake, { recursive: true });
    const process_ = spawnOnSmallDisk(lake, process.execPath, script, "start", "--foreground", "--dir", full);
    try {
      await expect.poll(() => runningProcess(dataDirectory(full)), { interval: 100 }).toBeDefined();
      const ballast = createBallast(`/proc/${process_.pid}/root${lake}`);
      ballast.fill();
      await produce(full, [sold("full", "till-full")]);
      const [see, cure] = cases.get("The disk is full")!;
      const failing = async () => (await connectPipeline(dataDirectory(full)).status()).landing?.failing;
      await expect.poll(failing, { interval: 100 }).toBeDefined();
      await follow(see!, full);
      ballast.remove();
      await expect.poll(failing, { interval: 500 }).toBeUndefined();
      await follow(cure!, full);
    } finally {
      process_.kill("SIGTERM");
      await once(process_, "close");
      rmSync(full, { recursive: true, force: true });
    }
  });

  it("and every case of the page is tried here or on a small disk", () => {
    expect([...Object.keys(plants), "The disk is full"].toSorted()).toEqual([...cases.keys()].toSorted());
  });
});
