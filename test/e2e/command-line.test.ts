import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { QuarantinedOrder } from "../../pipeline/quarantine/list-quarantined.ts";
import { order } from "../support/order-fixture.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, prepareDataDirectory } from "../../targets/local/data-directory.ts";
import { isRunning } from "../../targets/local/machine.ts";
import { script, temporaryPipeline } from "./command-line-fixture.ts";
import { pizzaInProcess, quickPizza } from "./command-line-in-process.ts";

const { dir, remove } = temporaryPipeline();
const run = (...args: string[]) => quickPizza(dir, ...args);
const json = async (...args: string[]) => JSON.parse((await run(...args, "--json")).stdout);

beforeAll(async () => {
  const { code, stderr } = await run("start", "--shards", "1");
  if (code !== 0) throw new Error(stderr);
});

afterAll(async () => {
  await run("clean", "--yes");
  const isLeft = existsSync(dir);
  remove();
  if (isLeft) throw new Error(`./pizza clean left ${dir}`);
});

describe("wrong usage", () => {
  it.each([
    [["nonsense"], "command nonsense is unknown"],
    [["query"], "no SQL given"],
    [["query", "select 1", "--version", "2"], "add --lake"],
    [["replay", "modern"], "data set modern is unknown"],
    [["produce", "--rate", "0"], "--rate 0: give a number"],
    [["produce", "--faults", "earthquake"], 'fault "earthquake" is unknown'],
    [["produce", "--batch", "lzma", "--orders", "1"], "choose one of zstd, gzip, off"],
    [["trace"], "no order given"],
    [["powerbi"], "no folder given"],
    [["drill", "flood"], "drill flood is unknown: choose one of burst, duplicates"],
    [["forget"], "no customer given"],
    [["corrections", "--since", "2026-02-30"], "--since 2026-02-30: give a date (2026-01-31)"],
    [["corrections", "--since", "7"], "--since 7: give a date (2026-01-31)"],
    [["corrections", "--table", "nope"], "--table nope: choose one of daily_sales_summary, hourly_trends"],
    [["lineage", "backup"], "unexpected argument backup"],
    [["lineage", "--since", "2026-02-30"], "--since 2026-02-30: give a day"],
    [["quarantine", "resend", "abcdef", "__proto__.x=1"], "__proto__ is not a field of an order"],
    [["forget", "", "--yes"], "no customer given"],
    [["quarantine"], "give one of list, show <id> or resend"],
    [["quarantine", "resend"], "resend needs either event ids or --reason"],
    [["quarantine", "resend", "abcdef", "revision=@last"], "@last is not a named value"],
    [["quarantine", "list", "--reason", "bad_luck"], "choose one of batch_corrupt"],
    [["status", "extra"], "unexpected argument extra"],
    [["start", "--port", "abc"], "--port abc: give a number"],
    [["restart", "--port", "99999"], "--port 99999: give a number"],
    [["produce", "--background", "--rate", "abc"], "--rate abc: give a number"],
    [["produce", "--background", "--linger", "-1"], "--linger"],
    [["produce", "--stop", "--rate", "zzz"], "--rate has no effect with --stop"],
    [["produce", "--stop", "--background"], "--background has no effect with --stop"],
    [["produce", "--file", "orders", "--rate", "3"], "--rate has no effect with --file"],
    [["produce", "--file", "orders", "--seed", "3"], "--seed has no effect with --file"],
    [["produce", "--from", "2000-01-01", "--orders", "1"], "give a date from 2000-01-02"],
    [["produce", "--from", "2026-02-31", "--orders", "1"], "give a date such as"],
    [["lineage", "--since", "2026-02-31"], "give a day"],
    [["produce", "--from", "2300-01-01", "--orders", "1"], "give a date from 2000-01-02"],
    [["verify", "--loud"], "Unknown option '--loud'"],
    [["verify", "--target", "moon"], "choose one of local, localstack, aws"],
  ])("%j exits with code 2 and a correction", async (args, message) => {
    const { code, stdout, stderr } = await pizzaInProcess(...args, "--dir", dir);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("is also reported as JSON", async () => {
    const { code, stdout, stderr } = await run("query", "--json");
    expect({ code, said: JSON.parse(stdout) }).toMatchObject({ code: 2, said: { error: { exitCode: 2 } } });
    expect(stderr).toContain("no SQL given");
    expect(await json("logs", "--follow")).toMatchObject({ error: { exitCode: 2 } });
  });
});

describe("a local pipeline in the background", () => {
  it("keeps running after every invalid restart", async () => {
    expect((await json("status")).process).toMatchObject({ pid: expect.any(Number) });
  });

  it("rejects a start with other options and names the restart command", async () => {
    const { port } = (await json("status")).process;
    expect(await run("start", "--shards", "1", "--port", String(port))).toMatchObject({ code: 0 });
    const { code, stderr } = await run("start", "--shards", "4");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("already running with --shards 1: change it with ./pizza restart --shards 4"),
    });
  });

  it("is not started twice", async () => {
    const second = await run("start");
    expect(second).toMatchObject({ code: 0 });
    expect(second.stderr).toContain("is already running: process");
    const foreground = await run("start", "--foreground");
    expect(foreground).toMatchObject({ code: 1 });
    expect(foreground.stderr).toContain("stop it with ./pizza stop");
  });

  it("moves live simulated orders into gold", async () => {
    const sent = await json("produce", "--rate", "500", "--orders", "250", "--seed", "4", "--wait");
    expect(sent).toMatchObject({ events: 250, faults: {} });
    const rows = await json(
      "query",
      "select sum(orders)::int as orders, sum(revenue) as revenue from gold.daily_sales_summary",
    );
    expect(rows).toEqual([{ orders: 250, revenue: expect.stringMatching(/^\d+\.\d\d$/) }]);
    const status = await json("status");
    expect(status.freshness.medianSeconds).toBeGreaterThan(0);
    expect(status).toMatchObject({ stream: { shards: 1, shardsBehind: 0 }, process: { pid: expect.any(Number) } });
  });

  it("quarantines malformed data with its reason and keeps going", async () => {
    const nested = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
    const good = JSON.stringify(
      order({
        order_id: "after-the-garbage",
        lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 }],
      }),
    );
    const lines = [
      Buffer.from([0, 1, 2, 255]),
      Buffer.alloc(1_000_000, "x"),
      Buffer.from(nested),
      Buffer.from(good.replace("Ada", "\\u0000")),
      Buffer.from(good.replace("{", '{"__proto__":{},')),
      Buffer.concat([Buffer.from(good.slice(0, 40)), Buffer.from([0xc3])]),
      Buffer.from(good.replace("13.25", "1e308")),
      Buffer.from(good),
    ];
    const file = join(dirname(dir), "garbage");
    writeFileSync(file, Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")])));
    expect(await json("produce", "--file", file, "--wait")).toMatchObject({ events: lines.length });
    const quarantined = await json(
      "query",
      "--lake",
      "select reason, count(*) as n from quarantine_order_events group by reason order by reason",
    );
    expect(quarantined).toEqual(
      ["bad_utf8", "event_too_large", "forbidden_character", "money_out_of_range", "too_deep", "unknown_key"].map(
        (reason) => ({ reason, n: reason === "bad_utf8" ? "2" : "1" }),
      ),
    );
    expect(
      await json("query", "--lake", "select status from silver_order_lines where order_id = 'after-the-garbage'"),
    ).toEqual([{ status: "placed" }]);
    expect(await run("verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("BALANCED") });
  });

  it("does not resend events that silver would reject again", async () => {
    const moved = { order_id: "m-1", revision: 2, ordered_at: "2015-01-01T12:00:00-05:00" };
    const file = join(dirname(dir), "moved");
    const events = [order({ order_id: "m-1" }), order(moved), order({ ...moved, channel: "online" })];
    writeFileSync(file, events.map((event) => JSON.stringify(event)).join("\n"));
    await json("produce", "--file", file, "--wait");
    for (const how of ["--dry-run", "--wait", "--wait"]) {
      const tried = await run("quarantine", "resend", "--reason", "ordered_at_changed", how);
      expect(tried).toMatchObject({ code: 1, stdout: expect.stringContaining("an order keeps its time") });
    }
    expect(await json("quarantine", "list", "--reason", "ordered_at_changed")).toHaveLength(2);
    const rule = ["ordered_at=2015-01-01T11:38:36-05:00", "revision=@next", "--wait"];
    const mended = await run("quarantine", "resend", "--reason", "ordered_at_changed", ...rule);
    expect(mended).toMatchObject({ code: 1, stderr: expect.stringContaining("sent 1, 1 would be rejected again") });
    const left = await json("quarantine", "list", "--reason", "ordered_at_changed");
    expect(left.map(({ payload }: QuarantinedOrder) => JSON.parse(payload).channel)).toEqual(["online"]);
  });

  it("names an event file that it cannot read", async () => {
    const tried = await run("quarantine", "resend", "abcdef", "--file", "/nope");
    expect(tried).toMatchObject({ code: 1, stderr: expect.stringContaining("--file /nope cannot be read (ENOENT)") });
  });

  it("corrects and resends rejected events until the receipt shows them as resolved", async () => {
    const wrong = ["w-1", "w-2", "w-3"].map((order_id, n) =>
      JSON.stringify(
        order({
          order_id,
          lines: [{ line_no: 1, pizza_id: n === 2 ? "unheard_of_m" : "hawaian_m", quantity: 2, unit_price: 13.25 }],
        }),
      ),
    );
    const file = join(dirname(dir), "wrong");
    writeFileSync(file, wrong.join("\n"));
    await json("produce", "--file", file, "--wait");
    const listed = await json("quarantine", "list", "--reason", "unknown_pizza");
    expect(listed.map((event: QuarantinedOrder) => [event.orderId, event.cents, event.isClosed])).toEqual(
      ["w-1", "w-2", "w-3"].map((id) => [id, 2650, false]),
    );
    const { closed } = (await json("verify")).events;
    const rule = ["quarantine", "resend", "--reason", "unknown_pizza", "lines[*].pizza_id=hawaian_m->hawaiian_m"];
    const dry = await run(...rule, "--dry-run");
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining("2 would be sent") });
    expect(dry.stdout).toContain('lines[0].pizza_id: "hawaian_m" -> "hawaiian_m"');
    expect(await json("quarantine", "list", "--reason", "unknown_pizza")).toEqual(listed);
    expect(await json(...rule, "--wait")).toMatchObject({ dryRun: false, sent: 2, events: [{}, {}] });
    expect(await json("verify")).toMatchObject({ balanced: true, events: { closed: closed + 2 } });
    const left = await json("quarantine", "list", "--reason", "unknown_pizza");
    expect(left.map((event: QuarantinedOrder) => event.orderId)).toEqual(["w-3"]);
    expect(await run("quarantine", "resend", left[0].id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("the pizza is not on the menu"),
      stderr: expect.stringContaining("sent 0, 1 would be rejected again"),
    });
    const fixed = join(dirname(dir), "fixed");
    writeFileSync(fixed, wrong[2]!.replace("unheard_of_m", "hawaiian_m"));
    expect(await json("quarantine", "resend", "w-3", "--file", fixed, "--wait")).toMatchObject({ sent: 1 });
    const show = await run("quarantine", "show", "w-3");
    expect(show.stdout).toMatch(/state +resolved[\s\S]*in silver +revision 0[\s\S]*"pizza_id": "unheard_of_m"/);
    const traced = await run("trace", "w-3");
    expect(traced.stdout).toMatch(/quarantined, resolved[\s\S]*accepted\n  corrects[\s\S]*gold.daily_sales_summary/);
    expect((await json("trace", "w-1"))[0].events).toMatchObject([{ outcome: "quarantined" }, { outcome: "accepted" }]);
    expect(await run("trace", "nobody")).toMatchObject({ code: 1, stdout: "" });
    const receipt = await run("verify");
    expect(receipt).toMatchObject({ code: 0, stdout: expect.stringMatching(/of these, resolved later +\d/) });
    expect((await run("quarantine", "list")).stdout).toContain(`${closed + 3} resolved and not shown`);
  });

  it("erases a customer from every layer and still balances", async () => {
    const customer = { customer_id: "c-forget-me", name: "Ada Lovelace", email: "ada@example.com" };
    const file = join(dirname(dir), "customer");
    writeFileSync(file, ["f-1", "f-2"].map((order_id) => JSON.stringify(order({ order_id, customer }))).join("\n"));
    await json("produce", "--file", file, "--wait");
    expect(await run("forget", "c-forget-me")).toMatchObject({ code: 2, stderr: expect.stringContaining("add --yes") });
    const days = "select order_date, orders, revenue, customers from gold.daily_sales_summary order by 1";
    const before = await json("query", days);
    expect(await json("forget", "c-forget-me", "--yes")).toMatchObject({
      customerId: "c-forget-me",
      events: 2,
      orders: 2,
      streamKeeps: 0,
      isResumed: false,
    });
    expect(await json("query", days)).toEqual(before);
    expect(await run("verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("BALANCED") });
    const files = readdirSync(join(dir, "stream"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".log"),
    );
    for (const name of files) expect(readFileSync(join(dir, "stream", name), "latin1")).not.toContain("Lovelace");
    const count = "select count(*) as n from silver_order_lines";
    expect((await run("query", "--lake", count)).code).toBe(0);
    const earlier = (await json("status")).silver.version - 1;
    expect((await run("query", "--lake", "--version", String(earlier), count)).stderr).toContain(
      "when a customer was forgotten",
    );
    expect(await run("forget", "c-forget-me", "--yes")).toMatchObject({
      code: 0,
      stdout: "customer c-forget-me was not found: nothing was changed\n",
    });
  });

  it("prints what each tool asks for, from the same credentials", async () => {
    const { host, port, database, user, password, url } = await json("credentials");
    expect(await json("credentials", "--for", "powerbi")).toMatchObject({
      Server: `${host}:${port}`,
      Database: database,
      "User name": user,
      Password: password,
    });
    expect((await run("credentials", "--for", "psql")).stdout.trim()).toBe(`psql '${url}'`);
    const { url: jdbc } = await json("credentials", "--for", "jdbc");
    expect(jdbc).toBe(`jdbc:postgresql://${host}:${port}/${database}?sslmode=disable`);
    expect((await run("credentials", "--for", "dbt")).stdout).toContain(`      port: ${port}\n`);
    for (const tool of ["dbeaver", "sqlalchemy", "metabase"]) {
      expect((await run("credentials", "--for", tool)).stdout).toContain(password);
    }
    expect(await run("credentials", "--for", "excel")).toMatchObject({ code: 2 });
  });

  it("writes a Power BI project that asks this pipeline, into a new folder only", async () => {
    const { host, port, database } = await json("credentials");
    const folder = join(dirname(dir), "power bi");
    const { file, server } = await json("powerbi", folder);
    expect([server, existsSync(file)]).toEqual([`${host}:${port}`, true]);
    const parameters = readFileSync(join(folder, "pizza-sales.SemanticModel/definition/expressions.tmdl"), "utf8");
    expect(parameters).toContain(`expression Server = "${host}:${port}" meta`);
    expect(parameters).toContain(`expression Database = "${database}" meta`);
    expect(await run("powerbi", folder)).toMatchObject({ code: 2 });
  });

  it("prints credentials that can read but not write", async () => {
    const { url } = await json("credentials");
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      expect((await client.query("select count(*)::int as n from gold.daily_sales_summary")).rows[0].n).toBeGreaterThan(
        0,
      );
      for (const statement of [
        "delete from gold.daily_sales_summary",
        "update gold.monthly_sales_summary set revenue = 0",
        "insert into ops.corrections (table_name, key, column_name, cause) values ('a', '{}', 'b', 'c')",
        "create table gold.mine (a int)",
        "create table public.mine (a int)",
        "select ops.publish_windows('{}')",
      ]) {
        await expect(client.query(statement), statement).rejects.toThrow(/permission denied|read-only transaction/);
        const bold = `set default_transaction_read_only = off; commit; begin; ${statement}`;
        await expect(client.query(bold), statement).rejects.toThrow(/permission denied/);
        await client.query("rollback; reset default_transaction_read_only");
      }
    } finally {
      await client.end();
    }
  });

  it("sends every line that fits into a record and names the others", async () => {
    const line = JSON.stringify(order({ order_id: "beside-long-lines" }));
    const file = join(dirname(dir), "long");
    writeFileSync(file, ["x".repeat(1_048_321), line, "y".repeat(2_000_000), line].join("\n"));
    const { code, stdout, stderr } = await run("produce", "--file", file, "--wait", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      events: 2,
      notSent: [
        { line: 1, bytes: 1_048_321 },
        { line: 3, bytes: 2_000_000 },
      ],
    });
    expect(stderr).toContain("line 3 was not sent: its 2,000,000 bytes exceed the maximum size");
    expect(await run("verify")).toMatchObject({ code: 0 });
  });

  it.each([
    ["nowhere", "does not exist"],
    ["", "is a folder"],
  ])("names the problem of a file that cannot be sent: %j", async (name, message) => {
    const { code, stderr } = await run("produce", "--file", join(dirname(dir), name));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });

  it("stops a slow producer immediately after its open batches are sent", async () => {
    const before = (await json("status")).stream.records;
    let sent = before;
    for (const args of [
      ["produce", "--rate", "0.01"],
      ["replay", "classic", "--speed", "1"],
    ]) {
      const child = spawn(process.execPath, [script, ...args, "--dir", dir, "--json"], {
        stdio: ["ignore", "pipe", 2],
      });
      sent += 1;
      await untilStreamHas(sent);
      const told = Date.now();
      child.kill("SIGINT");
      const [stdout, code] = await Promise.all([
        text(child.stdout!),
        new Promise((resolve) => child.once("close", resolve)),
      ]);
      expect(code).toBe(0);
      // The next order is due in a hundred seconds, or a quarter of an hour.
      expect(Date.now() - told).toBeLessThan(60_000);
      expect(JSON.parse(stdout)).toMatchObject({ records: 1 });
    }
    expect((await json("status")).stream?.records).toBe(before + 2);
  });

  it("keeps sending in the background until it is stopped", async () => {
    const before = (await json("status")).stream.records;
    expect(await run("produce", "--background", "--rate", "50", "--seed", "8")).toMatchObject({ code: 0 });
    expect((await run("produce", "--background")).stderr).toContain("is already sending orders");
    await untilStreamHas(before + 1);
    expect(await run("produce", "--stop")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("stopped process"),
    });
    expect((await json("status")).stream?.records).toBeGreaterThan(before);
    expect(await run("verify")).toMatchObject({ code: 0 });
  });

  it("stops the background producer before the pipeline, so that no send fails", async () => {
    const before = (await json("status")).stream.records;
    const { process: producer } = await json("produce", "--background", "--rate", "50", "--seed", "9");
    await untilStreamHas(before + 1);
    const { stderr } = await run("stop");
    expect(stderr).toContain(`stopped the producer, process ${producer}`);
    expect(isRunning(producer)).toBe(false);
    expect(readFileSync(join(dir, "logs", "producer.log"), "utf8")).not.toContain("unsent");
    expect(await run("start")).toMatchObject({ code: 0 });
  });

  it("stops, continues from the same state, and answers queries while stopped", async () => {
    const before = await json("status");
    expect(await run("stop")).toMatchObject({ code: 0 });
    expect((await run("stop")).stderr).toContain("no local pipeline is running");
    expect((await json("query", "select count(*)::int as n from ops.windows"))[0].n).toBe(before.gold.windows);
    expect((await json("status")).process).toBeUndefined();
    expect(await run("start", "--shards", "2")).toMatchObject({ code: 0 });
    const after = await json("status");
    expect(after).toMatchObject({ stream: { shards: 2, records: before.stream.records }, silver: before.silver });
    await json("produce", "--orders", "40", "--rate", "400", "--seed", "12", "--wait");
    expect(await run("verify")).toMatchObject({ code: 0 });
    expect((await run("logs")).stdout).toContain("is ready: process");
  });
});

describe("the command line", () => {
  it("names a port that is in use", async () => {
    await run("stop");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await run("start", "--port", String(port));
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} is used by another program`);
    const elsewhere = temporaryPipeline();
    for (const option of ["--port", "--postgres-port"]) {
      const fresh = await quickPizza(elsewhere.dir, "start", option, String(port));
      expect(fresh).toMatchObject({ code: 1, stderr: expect.stringContaining(`choose one with ${option}`) });
    }
    expect(existsSync(elsewhere.dir)).toBe(false);
    server.close();
  });

  it("names a missing folder, and loses no data once it is restored", async () => {
    renameSync(join(dir, "lake"), join(dir, "elsewhere"));
    const lost = await run("verify");
    expect(lost.code).toBe(1);
    expect(lost.stderr).toContain(": missing ");
    expect((await run("doctor")).code).toBe(1);
    renameSync(join(dir, "elsewhere"), join(dir, "lake"));
    expect(await run("verify")).toMatchObject({ code: 0 });
  });

  it("creates nothing if home.json is missing", async () => {
    renameSync(join(dir, "home.json"), join(dirname(dir), "home.json"));
    for (const command of ["start", "status", "doctor", "demo", "clean", "lineage", "restore"]) {
      const { code, stdout, stderr } = await run(command);
      expect({ code, said: stdout + stderr }, command).toEqual({
        code: 1,
        said: expect.stringContaining("home.json is missing"),
      });
    }
    renameSync(join(dirname(dir), "home.json"), join(dir, "home.json"));
    expect(await run("verify")).toMatchObject({ code: 0 });
  });

  it("explains in the doctor's report how to recover a missing database", async () => {
    renameSync(join(dir, "postgres"), join(dirname(dir), "postgres"));
    expect((await run("doctor")).stdout).toContain("recover it with ./pizza restore");
    renameSync(join(dirname(dir), "postgres"), join(dir, "postgres"));
  });

  it("creates no pipeline in a folder with foreign files, and removes only its own files", async () => {
    const elsewhere = temporaryPipeline();
    mkdirSync(elsewhere.dir);
    const thesis = join(elsewhere.dir, "thesis.txt");
    writeFileSync(thesis, "important");
    for (const command of ["start", "demo", "doctor"]) {
      const { code, stdout, stderr } = await quickPizza(elsewhere.dir, command);
      expect({ code, said: stdout + stderr }).toEqual({
        code: 1,
        said: expect.stringContaining("not created by a local pipeline (thesis.txt)"),
      });
    }
    expect(readdirSync(elsewhere.dir)).toEqual(["thesis.txt"]);
    rmSync(thesis);
    prepareDataDirectory(dataDirectory(elsewhere.dir), "demo");
    writeFileSync(thesis, "important");
    expect(await quickPizza(elsewhere.dir, "demo")).toMatchObject({ code: 1 });
    expect(readdirSync(elsewhere.dir)).toContain("home.json");
    const { code, stderr } = await quickPizza(elsewhere.dir, "clean", "--yes");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("kept files it did not create: thesis.txt"),
    });
    expect(readFileSync(thesis, "utf8")).toBe("important");
    elsewhere.remove();
  });

  it("rejects a lake whose columns another program changed", async () => {
    const log = join(dir, "lake/silver/order_lines/_delta_log");
    const commits = readdirSync(log)
      .filter((name) => /^\d{20}\.json$/.test(name))
      .toSorted();
    const actions = readFileSync(join(log, commits[0]!), "utf8").split("\n");
    const metaData = actions.find((action) => action.includes('"metaData"'))!;
    const next = join(log, `${String(Number.parseInt(commits.at(-1)!, 10) + 1).padStart(20, "0")}.json`);
    writeFileSync(next, metaData.replace(String.raw`\"revenue_cents\"`, String.raw`\"turnover\"`));
    const { code, stderr } = await run("run", "bronze_to_silver");
    expect(code).toBe(1);
    expect(stderr).toMatch(/revenue_cents|turnover/);
    rmSync(next);
    expect(await run("verify")).toMatchObject({ code: 0 });
  });

  it("exits with code 3 if a bronze object is missing", async () => {
    const { stdout } = await run(
      "query",
      "--lake",
      "select min(sequence_number) as s from silver_order_lines",
      "--json",
    );
    const sequence = JSON.parse(stdout)[0].s as string;
    const bronze = join(dir, "lake/bronze/orders");
    const object = findFile(bronze, sequence);
    renameSync(object, join(dir, "kept"));
    const { code, stdout: receipt } = await run("verify");
    expect(code).toBe(3);
    expect(receipt).toContain("DOES NOT BALANCE");
    expect(receipt).toContain("sent = landed");
    renameSync(join(dir, "kept"), object);
  });

  it("replaces only the demo's own pipeline when the demo runs again", async () => {
    const { code, stderr } = await run("demo");
    expect(code).toBe(1);
    expect(stderr).toContain("holds a local pipeline that the demo did not create");
  });

  it("reports no problem from the doctor on this machine", async () => {
    const checks = await json("doctor");
    expect(checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
    expect(checks.length).toBeGreaterThan(5);
  });

  it("reports that there is no local pipeline", async () => {
    const elsewhere = temporaryPipeline();
    const { code, stderr } = await quickPizza(elsewhere.dir, "verify");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("create one with ./pizza demo or ./pizza start"),
    });
    elsewhere.remove();
  });
});

/** Waits until that many records are in the background pipeline's stream. */
async function untilStreamHas(records: number): Promise<void> {
  const pipeline = connectPipeline(dataDirectory(dir));
  await expect.poll(async () => (await pipeline.status()).stream?.records).toBeGreaterThanOrEqual(records);
}

function findFile(folder: string, part: string): string {
  const name = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => path.includes(part));
  return join(folder, name!);
}
