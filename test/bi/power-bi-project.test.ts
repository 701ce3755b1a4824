import { readFileSync } from "node:fs";
import { DefaultSettings, TaskUtils } from "@microsoft/powerquery-parser";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMigrations, readProjectFile, readProjectJson, readStores } from "../../adapters/project-files.ts";
import { measures } from "../../bi/measures.ts";
import { channelNames, measuresTable, relationships, roles, tables, type ModelColumn } from "../../bi/model.ts";
import { commentsOf, partsOf, powerBiProject, queryOf } from "../../bi/power-bi-project.ts";
import { pages, pageSize } from "../../bi/report.ts";
import { openGoldPipeline, type GoldPipeline } from "../pipeline/gold/gold-fixture.ts";

const comments = commentsOf(loadMigrations().map(({ sql }) => sql));
const files = powerBiProject(comments);
const columnsOf = new Map(tables.map(({ name, columns }) => [name, columns]));
const column = (table: string, name: string) => columnsOf.get(table)?.find((each) => each.name === name);
const visuals = pages.flatMap((page) => page.visuals.map((visual) => ({ page, visual })));

/** The types of PostgreSQL that each type of the model takes. */
const fitting: Record<ModelColumn["type"], readonly string[]> = {
  string: ["text"],
  int64: ["integer", "smallint", "bigint"],
  decimal: ["numeric"],
  dateTime: ["date", "timestamp with time zone"],
  boolean: ["boolean"],
};

describe("the model", () => {
  let gold: GoldPipeline;
  beforeAll(async () => {
    gold = await openGoldPipeline();
  });
  afterAll(() => gold.close());

  it("has only columns that the database has, with types that fit, and says of them what the database says", async () => {
    for (const { source, columns } of tables) {
      if (source === undefined) continue;
      const rows = await gold.reader.query<{ name: string; type: string; comment: string }>(
        `select attname as name, format_type(atttypid, null) as type, col_description(attrelid, attnum) as comment
         from pg_attribute where attrelid = $1::regclass and attnum > 0`,
        [source],
      );
      const known = new Map(rows.map((row) => [row.name, row]));
      for (const each of columns) {
        const found = known.get(each.source);
        expect([source, each.source, found?.type]).toEqual([
          source,
          each.source,
          expect.toBeOneOf([...fitting[each.type]]),
        ]);
        expect([each.source, comments.get(`${source}.${each.source}`)]).toEqual([
          each.source,
          found!.comment.replaceAll(/\s+/g, " "),
        ]);
      }
    }
  });

  it("relates columns that exist, of one type, to a key", () => {
    for (const { from, to } of relationships) {
      const [fact, key] = [column(...from), column(...to)];
      expect([from, fact?.type, key?.isKey]).toEqual([from, key?.type, true]);
    }
  });

  it("hides every column of a fact: people use the measures", () => {
    for (const table of ["Sales items", "Sales hours"]) {
      expect(columnsOf.get(table)!.filter(({ isHidden }) => isHidden !== true)).toEqual([]);
    }
  });

  it("has a measure only of columns and measures that exist", () => {
    const names = new Set<string>(measures.map(({ name }) => name));
    for (const { name, dax } of measures) {
      for (const [, table, of] of dax.matchAll(/'([^']+)'\[([^\]]+)\]/g)) {
        expect([name, table, of, column(table!, of!) !== undefined]).toEqual([name, table, of, true]);
      }
      const used = [...dax.replaceAll(/'[^']+'\[[^\]]+\]/g, "").matchAll(/\[([^\]]+)\]/g)].map(([, other]) => other!);
      expect([name, used.filter((other) => !names.has(other))]).toEqual([name, []]);
      expect(columnsOf.get(measuresTable)!.map((each) => each.name)).not.toContain(name);
    }
  });

  it("sorts by columns that exist, and has one name once", () => {
    for (const [table, columns] of columnsOf) {
      expect(columns.filter(({ sortBy }) => sortBy !== undefined && column(table, sortBy) === undefined)).toEqual([]);
      const names = columns.map(({ name }) => name.toLowerCase());
      expect([table, new Set(names).size]).toEqual([table, names.length]);
    }
  });

  it("names every channel of the contract, and no other", () => {
    const contract = readProjectJson<{ properties: { channel: { enum: string[] } } }>(
      "pipeline/domain/order-event.schema.json",
    );
    expect(Object.keys(channelNames).toSorted()).toEqual(contract.properties.channel.enum.toSorted());
  });

  it("closes to a store manager each table that knows no store and holds more than the catalog", () => {
    const open = new Set(["Date", "Channel", "Hour", "Pizza", "Store access", measuresTable]);
    const ofStores = new Set(relationships.filter(({ to }) => to[0] === "Store").map(({ from }) => from[0]));
    for (const { filters } of roles) {
      for (const { name } of tables) {
        const isClosed = filters[name] === "FALSE()";
        expect([name, isClosed]).toEqual([name, name !== "Store" && !open.has(name) && !ofStores.has(name)]);
      }
      expect(filters["Store"]).toContain("USERPRINCIPALNAME()");
    }
    const [example] = [...files].filter(([path]) => path.endsWith("expressions.tmdl"));
    const [, store] = /=([a-z]+-\d+)"/.exec(example![1]) ?? [];
    expect(readStores().map(({ store_id }) => store_id)).toContain(store);
  });

  it("has queries that Power Query's own parser reads", async () => {
    for (const table of tables) {
      const text = queryOf(table).join("\n");
      const task = await TaskUtils.tryLexParse(DefaultSettings, text);
      expect([table.name, TaskUtils.isParseStageOk(task)]).toEqual([table.name, true]);
    }
    const broken = await TaskUtils.tryLexParse(DefaultSettings, "let a = in a");
    expect(TaskUtils.isParseStageOk(broken)).toBe(false);
  });
});

describe("the report", () => {
  it("shows only fields that the model has", () => {
    const names = new Set<string>(measures.map(({ name }) => name));
    for (const { page, visual } of visuals) {
      const fields = [...Object.values(visual.fields).flat(), ...(visual.sortBy === undefined ? [] : [visual.sortBy])];
      const unknown = fields.map(partsOf).filter(({ table, name, kind }) => {
        const found = column(table, name);
        return kind === "Measure" ? !names.has(name) : found === undefined || found.isHidden === true;
      });
      expect([page.name, visual.name, unknown]).toEqual([page.name, visual.name, []]);
    }
  });

  it("asks no measure without a pizza for a pizza", () => {
    const blank = new Set<string>(
      measures.filter(({ dax }) => dax.includes("ISCROSSFILTERED")).map(({ name }) => name),
    );
    const wrong = visuals.filter(({ visual }) => {
      const fields = Object.values(visual.fields).flat().map(partsOf);
      return fields.some(({ table }) => table === "Pizza") && fields.some(({ name }) => blank.has(name));
    });
    expect(wrong).toEqual([]);
  });

  it("has six pages of at most eight visuals, none over another or outside, each title a question", () => {
    expect(pages).toHaveLength(6);
    for (const { visuals: each } of pages) {
      expect(each.length).toBeLessThanOrEqual(8);
      for (const [index, { at, type, title, name }] of each.entries()) {
        expect([name, at.x >= 0 && at.y >= 0]).toEqual([name, true]);
        expect([name, at.x + at.width <= pageSize.width, at.y + at.height <= pageSize.height]).toEqual([
          name,
          true,
          true,
        ]);
        expect(type === "card" || /^[A-Z].*\?$/.test(title)).toBe(true);
        for (const { at: other } of each.slice(index + 1)) {
          const isApart =
            at.x + at.width <= other.x ||
            other.x + other.width <= at.x ||
            at.y + at.height <= other.y ||
            other.y + other.height <= at.y;
          expect([name, isApart]).toEqual([name, true]);
        }
      }
    }
  });

  it("has a picture of each page, with every visual's title and the classic year's key figures", () => {
    for (const { name, visuals: each } of pages) {
      const picture = readProjectFile(`docs/images/powerbi/${name}.svg`);
      const missing = each.filter(({ title }) => !picture.includes(`>${title.replaceAll("&", "&amp;")}</text>`));
      expect([name, missing.map(({ title }) => title)]).toEqual([name, []]);
    }
    const sales = readProjectFile("docs/images/powerbi/sales.svg");
    for (const figure of ["$817,860.05", "21,350", "49,574"]) expect(sales).toContain(`>${figure}</text>`);
  });

  it("has names that Power BI takes, each once", () => {
    for (const { visuals: each } of pages) {
      const names = each.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^\w{1,50}$/);
    }
    const ids = [...files.values()].flatMap((text) => [...text.matchAll(/lineageTag: (\S+)/g)].map(([, id]) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** The folder with Microsoft's schemas (github.com/microsoft/json-schemas), which are not part of this project. */
const schemas = process.env["POWER_BI_SCHEMAS"];

describe.runIf(schemas !== undefined)("the files, by Microsoft's schemas", () => {
  const prefix = "https://developer.microsoft.com/json-schemas/";
  const load = async (uri: string): Promise<object> =>
    JSON.parse(readFileSync(`${schemas}/${uri.slice(prefix.length).split("#")[0]}`, "utf8").replace(/^\uFEFF/, ""));
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: false, loadSchema: load });
  const documents = [...files].filter(([, text]) => text.includes('"$schema"'));

  it.each(documents)("%s is valid", async (_, text) => {
    const document = JSON.parse(text) as { $schema: string };
    const validate =
      ajv.getSchema(document.$schema) ??
      (await ajv.compileAsync({ ...(await load(document.$schema)), $id: document.$schema }));
    await validate(document);
    expect(validate.errors).toBeNull();
  });
});
