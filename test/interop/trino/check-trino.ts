import { rejects } from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AthenaClient } from "@aws-sdk/client-athena";
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { explainedTables } from "../../../pipeline/explain/gold-tables.ts";
import { listSql, othersSql, sumsSql } from "../../../pipeline/explain/evaluate-terms.ts";
import { openAthenaLake } from "../../../adapters/athena.ts";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { loadCatalog, loadQualitySql, readMenu, readProjectFile, readStores } from "../../../adapters/project-files.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { partitionColumn, silverColumns } from "../../../pipeline/silver/columns.ts";
import { openDeltaTable, type DeltaTable } from "../../../pipeline/delta/table.ts";
import { createCatalog } from "../../../pipeline/domain/catalog.ts";
import { qualityRules } from "../../../pipeline/domain/quality-rules.ts";
import type { LakeQuery, LakeRow, LakeTable, ObjectStore } from "../../../pipeline/ports.ts";
import { classicOrders } from "../../../producer/classic-year.ts";
import { inSchemaVersion } from "../../../producer/schema-version.ts";
import type { StoreProfile } from "../../../producer/tills.ts";
import { createCustomerKey } from "../../../pipeline/silver/write-orders.ts";
import { publishQuarantine } from "../../../pipeline/silver/quarantine-table.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import {
  openQuarantine,
  openSilver,
  orderStream,
  quarantineLakeTable,
  silverLakeTable,
} from "../../../pipeline/silver/tables.ts";
import { judgedByRules } from "../../../pipeline/silver/transactions.ts";
import { environments } from "../../../lib/config.ts";
import { GlueTables } from "../../../lib/constructs/glue-tables.ts";
import { orderLines, writeRows } from "../../pipeline/delta/order-lines.ts";
import { ruleQuery } from "../../../pipeline/quality/evaluate-rule.ts";
import { countsSql, summarySql } from "../../../pipeline/quality/profile-silver.ts";
import { changeDay, type Cells } from "../../pipeline/silver/change-day.ts";
import { record } from "../../pipeline/silver/refine-fixture.ts";
import { startAthenaServer } from "../../support/athena-server.ts";
import { testAccess } from "../../support/aws-access.ts";
import { trinoEngine } from "../../support/trino-engine.ts";
import { startTrino } from "./trino-process.ts";

const bucket = "lake";

/** A day written before silver had the columns of schema version 2. */
async function writeOldDay(place: { store: ObjectStore; clock: () => number }): Promise<void> {
  const later = new Set<string>(["promotion_code", "tip_cents", "till_offset_minutes"]);
  const columns = silverColumns.filter(({ name }) => !later.has(name));
  const shape = { root: "silver/order_lines", name: "order_lines", description: "", columns, partitionColumn };
  const table = openDeltaTable({ ...place, ...shape });
  const add = await table.writeDataFile({ partition: "2014-12-31", ...writeRows(orderLines({ orders: 50 }), columns) });
  const nothing = { removes: [], transactions: judgedByRules(), operationMetrics: {} };
  await table.commit({ readVersion: -1, operation: "WRITE", adds: [add], ...nothing });
}

/**
 * An old day, then two months of the classic year in five commits, the last of which cancels orders, and some rejected
 * events.
 */
async function fillLake(root: string) {
  const now = Date.parse("2015-03-05T00:00:00Z");
  const place = { store: openFolderStore(root), clock: () => now };
  await writeOldDay(place);
  const tables = { silver: openSilver(place), quarantine: openQuarantine(place) };
  const customerKey = createCustomerKey("secret of the tests");
  const refinery = { ...place, ...tables, stream: orderStream, catalog: loadCatalog(), customerKey };
  const send = async (number: number, events: unknown[]) => {
    await landRecords(refinery, [record(number, events, { arrivedAt: now })]);
    await refineSilver(refinery);
    await publishQuarantine(refinery);
  };
  const orders = twoMonths();
  const size = Math.ceil(orders.length / 4);
  for (let part = 0; part < 4; part++) await send(part, orders.slice(part * size, (part + 1) * size));
  const cancelled = orders.slice(100, 160).map((order) => ({ ...order, revision: 1, status: "cancelled" }));
  const rejected = [
    { order_id: "it's invalid", lines: [] },
    { ...orders[0], order_id: "x", status: "lost" },
  ];
  await send(4, [...cancelled, ...rejected]);
  await plantFaults({ ...place, ...tables });
  return tables;
}

function twoMonths() {
  const events = classicOrders({
    csv: readProjectFile("data/classic-2015.csv"),
    menu: readMenu(),
    stores: readStores<StoreProfile>(),
  });
  const orders = events.filter(({ ordered_at }) => ordered_at < "2015-03");
  return [...inSchemaVersion(orders, { version: "mixed", seed: 1 })];
}

/** The deployed definitions of the `_at` tables, for a bucket of this name. */
function glueTables(): object[] {
  const stack = new Stack();
  const environment = Object.values(environments)[0]!;
  const glue = new GlueTables(stack, "Tables", { environment, lake: Bucket.fromBucketName(stack, "Lake", bucket) });
  const tables = Object.values(Template.fromStack(Stack.of(glue)).findResources("AWS::Glue::Table"));
  const inputs = tables.map((table) => (table["Properties"] as { TableInput: { Name: string } }).TableInput);
  const versioned = inputs.filter(({ Name }) => Name.endsWith("_at"));
  return JSON.parse(toLocal(JSON.stringify(versioned))) as object[];
}

const toLocal = (text: string) => text.replaceAll(`s3://${bucket}/`, "local:///");

interface Question {
  name: string;
  sql: string;
  tables: LakeTable[];
  /** By default two days, as many as the SQL has parameters. */
  parameters?: (string | number)[];
}

async function compare(lakes: LakeQuery[], { name, sql, tables, ...question }: Question): Promise<void> {
  const parameters = question.parameters ?? ["2015-01-01", "2015-02-28"].slice(0, sql.split("?").length - 1);
  const [expected, actual] = await Promise.all(
    lakes.map(async (lake) => texts(await lake.query(sql, parameters, tables)).toSorted()),
  );
  const first = expected!.findIndex((row, index) => row !== actual![index]);
  if (first >= 0 || actual!.length !== expected!.length) {
    throw new Error(`${name}: DuckDB and Trino differ, first in\n${expected![first]}\n${actual![first]}`);
  }
  process.stdout.write(`${name}: ${actual!.length} rows, equal\n`);
}

/** A manifest that names a missing file must fail, because rows would be missing silently. */
async function demandEveryFile(lake: LakeQuery, { sql, tables: [table] }: Question): Promise<void> {
  const files = [...table!.files, "quarantine/order_events/gone.parquet"];
  await rejects(lake.query(sql, [], [{ ...table!, files }]), /gone\.parquet/);
  process.stdout.write("a file that is missing: an error that names it\n");
}

/** Rows as text, with their types. */
function texts(rows: LakeRow[]): string[] {
  return rows.map((row) =>
    JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)),
  );
}

/** Every file of lake SQL: all of `sql/gold/`, and those marked so in `sql/checks/` and `sql/trace/`. */
function lakeSql(): { name: string; sql: string }[] {
  const files = ["sql/gold", "sql/checks", "sql/trace"].flatMap((folder) =>
    readdirSync(new URL(`../../../${folder}`, import.meta.url))
      .filter((name) => name.endsWith(".sql"))
      .map((name) => `${folder}/${name}`),
  );
  const read = files.map((name) => ({ name, sql: readProjectFile(name) }));
  return read.filter(({ name, sql }) => name.startsWith("sql/gold/") || sql.includes("Lake SQL"));
}

/** The faulty day, with every quality rule so strict that it has offenders. */
async function qualityQuestions(silver: DeltaTable): Promise<Question[]> {
  const snapshot = await silver.snapshot();
  const menu = readMenu();
  const catalog = createCatalog(
    menu.map((pizza) => ({ ...pizza, price_cents: pizza.price_cents + (pizza.size === "S" ? 1 : 0) })),
    [],
  );
  const receipt = { findings: [], notes: [], unpublishedDays: ["2015-01-05", faultyDay] };
  const rules = qualityRules.filter(({ source }) => source.on === "lake");
  return rules.map((rule) => {
    const strict = { ...rule, ...(rule.name in strictLimits && { limit: strictLimits[rule.name]! }) };
    const question = ruleQuery({ qualitySql: loadQualitySql(), catalog }, strict, {
      snapshot,
      receipt,
      now: Date.now(),
    });
    return { name: `rule ${rule.name}`, ...question };
  });
}

const strictLimits: Record<string, number> = { customers_known: 100, weekday_volume: 1 };
const faultyDay = "2015-02-03";

/** A fault for each rule that checks order lines. */
async function plantFaults(place: { silver: DeltaTable; store: ObjectStore }): Promise<void> {
  const faults: Partial<Cells>[] = [
    { pizza_name: "" },
    { quantity: 0 },
    { arrived_at: 1_400_000_000_000_000n },
    { channel: "drone" },
    { daypart: "night" },
    { is_first_of_size: false, is_first_of_order: true },
    { pizza_id: "gone" },
  ];
  await changeDay(place, faultyDay, (rows) => [...rows.map((cells, row) => ({ ...cells, ...faults[row] })), rows[0]!]);
}

/** The SQL of `./pizza explain` for every gold table, for the row that contains this order line. */
function explainSql(table: LakeTable): Question[] {
  const line: Record<string, string | number> = {
    order_hour: 12,
    pizza_id: "thai_ckn_l",
    pizza_type_id: "thai_ckn",
    category: "Chicken",
    size: "L",
    store_id: "nyc-01",
    channel: "dine_in",
    state: "NY",
    city: "New York",
    customer_key: "nobody",
  };
  return Object.entries(explainedTables).flatMap(([name, { key, cells }]) => {
    const filters = key.map(({ silver }) => silver).filter((column) => column !== undefined);
    const parameters = filters.map((column) => line[column]!);
    const terms = Object.values(cells).flatMap((cell) => cell.terms);
    const own = terms.filter((term) => term.kind === "lines");
    const others = terms.filter((term) => term.kind === "others");
    const ask = (what: string, sql: string, values = parameters) => {
      return { name: `explain ${name}, ${what}`, sql, tables: [table], parameters: values };
    };
    return [
      ask("sums", sumsSql(own, filters)),
      ask("lines", listSql(own, filters, 50)),
      ...[...Map.groupBy(others, ({ from }) => from).values()].map((some) =>
        ask(
          some[0]!.name,
          othersSql(some),
          Array<string | number>(some[0]!.from.split("?").length - 1).fill(parameters.at(-1)!),
        ),
      ),
    ];
  });
}

/** The queries for both engines: every lake SQL at three versions, and every column of some manifests. */
async function questions({ silver, quarantine }: Awaited<ReturnType<typeof fillLake>>): Promise<Question[]> {
  const newest = await silver.snapshot();
  const rejected = quarantineLakeTable(await quarantine.snapshot());
  const asked: Question[] = [];
  for (const version of [newest.version, newest.version - 1, 0]) {
    const tables = [silverLakeTable(await silver.snapshot(version)), rejected];
    asked.push(...lakeSql().map(({ name, sql }) => ({ name: `${name} at version ${version}`, sql, tables })));
  }
  const whole = silverLakeTable(newest);
  const everything = "select * from silver_order_lines";
  return [
    ...asked,
    ...explainSql(whole),
    { name: "silver, every column", sql: everything, tables: [whole] },
    { name: "silver, one day", sql: everything, tables: [silverLakeTable(newest, ["2015-02-01"])] },
    { name: "silver, no file", sql: everything, tables: [{ ...whole, files: [] }] },
    ...(await qualityQuestions(silver)),
    { name: "profile, summary", sql: summarySql(silverColumns), tables: [whole], parameters: ["2015-02-15"] },
    { name: "profile, counts", sql: countsSql(silverColumns), tables: [whole], parameters: ["2015-02-15"] },
    { name: "quarantine, every column", sql: "select * from quarantine_order_events", tables: [rejected] },
  ];
}

const [classpath] = process.argv.slice(2);
if (classpath === undefined) throw new Error("check-trino: no classpath given; call it by run.sh");
const root = mkdtempSync(join(tmpdir(), "pizza-trino-"));
const tables = join(root, "glue-tables.json");
writeFileSync(tables, JSON.stringify(glueTables()));
const trino = await startTrino({ classpath, root, tables });
const server = await startAthenaServer({ engine: trinoEngine(trino.url) });
const duckdb = await openDuckDbLake({ root });
try {
  const athena = openAthenaLake({
    workgroup: "test",
    database: "pizza",
    bucket,
    store: { put: (key, body) => openFolderStore(root).put(key, Buffer.from(toLocal(Buffer.from(body).toString()))) },
    client: new AthenaClient({ ...testAccess, endpoint: server.url }),
  });
  const asked = await questions(await fillLake(root));
  for (const question of asked) await compare([duckdb, athena], question);
  await demandEveryFile(athena, asked.at(-1)!);
} finally {
  await duckdb.close();
  await server.close();
  await trino.close();
  rmSync(root, { recursive: true });
}
