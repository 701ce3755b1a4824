import { createHash } from "node:crypto";
import { measures, type MeasureFormat } from "./measures.ts";
import { measuresTable, parameters, relationships, roles, tables, type ModelColumn, type ModelTable } from "./model.ts";
import { pageSize, pages, type Field, type Visual } from "./report.ts";

/** Comments of gold's tables and columns by `schema.table` and `schema.table.column`. */
export type Comments = ReadonlyMap<string, string>;

const schemas = "https://developer.microsoft.com/json-schemas/fabric/";
const project = "pizza-sales";
export const accent = "#B4431C";

/** A UUID that stays: it is derived from the name. */
function idOf(name: string): string {
  const digits = createHash("sha256").update(`pizza-sales ${name}`).digest("hex");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `5${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join("-");
}

/**
 * Returns the comments of tables and columns in migrations. Views in `bi` have the comments of the tables of the same
 * name in `ops`, as the migration that makes them says.
 */
export function commentsOf(migrations: readonly string[]): Comments {
  const comments = new Map<string, string>();
  const pattern = /comment on (?:table|column|view)\s+([\w.]+)\s+is\s+'((?:[^']|'')*)'\s*;/g;
  for (const [, name, text] of migrations.flatMap((sql) => [...sql.matchAll(pattern)])) {
    comments.set(name!, text!.replaceAll("''", "'").replaceAll(/\s+/g, " "));
  }
  for (const [name, text] of comments) {
    const inViews = name.replace(/^ops\./, "bi.");
    if (!comments.has(inViews)) comments.set(inViews, text);
  }
  return comments;
}

/** Returns the files of the Power BI project by path below `powerbi/`. */
export function powerBiProject(comments: Comments): Map<string, string> {
  const files = new Map<string, string>();
  const json = (path: string, schema: string, content: object) =>
    files.set(path, `${JSON.stringify({ $schema: `${schemas}${schema}/schema.json`, ...content }, undefined, 2)}\n`);
  const model = `${project}.SemanticModel`;
  const report = `${project}.Report`;
  json(`${project}.pbip`, "pbip/pbipProperties/1.0.0", {
    version: "1.0",
    artifacts: [{ report: { path: report } }],
    settings: { enableAutoRecovery: true },
  });
  for (const [folder, type] of [
    [model, "SemanticModel"],
    [report, "Report"],
  ] as const) {
    json(`${folder}/.platform`, "gitIntegration/platformProperties/2.0.0", {
      metadata: { type, displayName: "Pizza sales" },
      config: { version: "2.0", logicalId: idOf(type) },
    });
  }
  json(`${model}/definition.pbism`, "item/semanticModel/definitionProperties/1.0.0", { version: "4.2", settings: {} });
  const tmdl = (path: string, lines: readonly string[]) =>
    files.set(`${model}/definition/${path}.tmdl`, `${lines.join("\n")}\n`);
  tmdl("database", ["database", "\tcompatibilityLevel: 1601"]);
  tmdl("model", modelLines());
  tmdl("expressions", parameterLines());
  tmdl("relationships", relationshipLines());
  for (const table of tables) tmdl(`tables/${table.name}`, tableLines(table, comments));
  for (const role of roles) tmdl(`roles/${role.name}`, roleLines(role));
  json(`${report}/definition.pbir`, "item/report/definitionProperties/2.0.0", {
    version: "4.0",
    datasetReference: { byPath: { path: `../${model}` } },
  });
  const definition = "item/report/definition/";
  json(`${report}/definition/version.json`, `${definition}versionMetadata/1.0.0`, { version: "2.0.0" });
  json(`${report}/definition/report.json`, `${definition}report/3.0.0`, reportContent());
  files.set(`${report}/StaticResources/RegisteredResources/pizza.json`, `${JSON.stringify(theme, undefined, 2)}\n`);
  json(`${report}/definition/pages/pages.json`, `${definition}pagesMetadata/1.0.0`, {
    pageOrder: pages.map(({ name }) => name),
    activePageName: pages[0]!.name,
  });
  for (const { name, title, visuals } of pages) {
    const folder = `${report}/definition/pages/${name}`;
    json(`${folder}/page.json`, `${definition}page/2.0.0`, {
      name,
      displayName: title,
      displayOption: "FitToPage",
      ...pageSize,
    });
    for (const [order, visual] of visuals.entries()) {
      json(
        `${folder}/visuals/${visual.name}/visual.json`,
        `${definition}visualContainer/2.4.0`,
        visualContent(visual, order),
      );
    }
  }
  return files;
}

/** A name in TMDL: quoted unless it is a word. */
function quoted(name: string): string {
  return /^\w+$/.test(name) ? name : `'${name.replaceAll("'", "''")}'`;
}

function modelLines(): string[] {
  return [
    "model Model",
    "\tculture: en-US",
    "\tdefaultPowerBIDataSourceVersion: powerBI_V3",
    // A column of a fact is not summed by accident: the measures are what people use.
    "\tdiscourageImplicitMeasures",
    "\tsourceQueryCulture: en-US",
    "\tdataAccessOptions",
    "\t\tlegacyRedirects",
    "\t\treturnErrorValuesAsNull",
    "",
    "annotation __PBI_TimeIntelligenceEnabled = 0",
    "",
    `annotation PBI_QueryOrder = ${JSON.stringify([...parameters, ...tables].map(({ name }) => name))}`,
    "",
    ...tables.map(({ name }) => `ref table ${quoted(name)}`),
    "",
    ...roles.map(({ name }) => `ref role ${quoted(name)}`),
  ];
}

function parameterLines(): string[] {
  return parameters.flatMap(({ name, value, sentence }) => [
    `/// ${sentence}`,
    `expression ${name} = "${value}" meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]`,
    `\tlineageTag: ${idOf(`parameter ${name}`)}`,
    "",
    "\tannotation PBI_ResultType = Text",
    "",
  ]);
}

function relationshipLines(): string[] {
  return relationships.flatMap(({ from, to }) => [
    `relationship ${idOf(`relationship ${from.join(".")}`)}`,
    `\tfromColumn: ${from.map(quoted).join(".")}`,
    `\ttoColumn: ${to.map(quoted).join(".")}`,
    "",
  ]);
}

const formats: Record<MeasureFormat, string> = {
  dollars: "\\$#,##0.00",
  count: "#,##0",
  decimal: "#,##0.00",
  share: "0.0%",
};

function tableLines(table: ModelTable, comments: Comments): string[] {
  const { name, sentence, isHidden, isDateTable, columns } = table;
  return [
    `/// ${sentence}`,
    `table ${quoted(name)}`,
    `\tlineageTag: ${idOf(`table ${name}`)}`,
    ...(isHidden ? ["\tisHidden"] : []),
    ...(isDateTable ? ["\tdataCategory: Time"] : []),
    "",
    ...(name === measuresTable ? measureLines() : []),
    ...columns.flatMap((column) => columnLines(table, column, comments)),
    `\tpartition ${quoted(name)} = m`,
    "\t\tmode: import",
    "\t\tsource =",
    ...queryOf(table).map((line) => `\t\t\t\t${line}`),
  ];
}

function measureLines(): string[] {
  return measures.flatMap(({ name, folder, sentence, format, dax }) => [
    `\t/// ${sentence}`,
    `\tmeasure ${quoted(name)} = ${dax}`,
    `\t\tformatString: ${formats[format]}`,
    `\t\tdisplayFolder: ${folder}`,
    `\t\tlineageTag: ${idOf(`measure ${name}`)}`,
    "",
  ]);
}

function columnLines(table: ModelTable, column: ModelColumn, comments: Comments): string[] {
  const { name, type, source, isKey, isHidden, sortBy, dataCategory, format } = column;
  return [
    `\t/// ${sentenceOf(table, column, comments)}`,
    `\tcolumn ${quoted(name)}`,
    `\t\tdataType: ${type}`,
    ...(isKey ? ["\t\tisKey"] : []),
    ...(isHidden ? ["\t\tisHidden"] : []),
    ...(format === undefined ? [] : [`\t\tformatString: ${format}`]),
    ...(dataCategory === undefined ? [] : [`\t\tdataCategory: ${dataCategory}`]),
    `\t\tlineageTag: ${idOf(`column ${table.name}.${name}`)}`,
    "\t\tsummarizeBy: none",
    `\t\tsourceColumn: ${source}`,
    ...(sortBy === undefined ? [] : [`\t\tsortByColumn: ${quoted(sortBy)}`]),
    "",
  ];
}

/** What the database says of a column; throws if it says nothing. */
function sentenceOf(
  { source: from, name: table }: ModelTable,
  { source, sentence }: ModelColumn,
  comments: Comments,
): string {
  const text = sentence ?? comments.get(`${from}.${source}`);
  if (text === undefined) throw new Error(`${from ?? table}.${source} has no comment in sql/migrations/`);
  return text;
}

/** The Power Query M of a table. */
export function queryOf({ source, m, columns }: Pick<ModelTable, "source" | "m" | "columns">): readonly string[] {
  if (source === undefined) return m ?? [];
  const [schema, item] = source.split(".");
  return [
    "let",
    "    Source = PostgreSQL.Database(Server, Database, [CreateNavigationProperties = false]),",
    `    Data = Source{[Schema = "${schema}", Item = "${item}"]}[Data],`,
    `    Columns = Table.SelectColumns(Data, {${columns.map((column) => `"${column.source}"`).join(", ")}})`,
    "in",
    "    Columns",
  ];
}

function roleLines({ name, filters }: (typeof roles)[number]): string[] {
  return [
    `role ${quoted(name)}`,
    "\tmodelPermission: read",
    "",
    ...Object.entries(filters).flatMap(([table, filter]) => [`\ttablePermission ${quoted(table)} = ${filter}`, ""]),
  ];
}

const theme = {
  name: "Pizza",
  dataColors: [accent, "#5B6770", "#8A979F", "#B9C2C7", "#D98E6F", "#3D4A52"],
  background: "#FFFFFF",
  foreground: "#1F2529",
  tableAccent: accent,
};

function reportContent(): object {
  return {
    themeCollection: {
      baseTheme: {
        name: "CY24SU10",
        reportVersionAtImport: { visual: "1.8.97", report: "2.0.97", page: "1.3.97" },
        type: "SharedResources",
      },
      customTheme: {
        name: "pizza.json",
        reportVersionAtImport: { visual: "1.8.97", report: "2.0.97", page: "1.3.97" },
        type: "RegisteredResources",
      },
    },
    resourcePackages: [
      {
        name: "RegisteredResources",
        type: "RegisteredResources",
        items: [{ name: "pizza.json", path: "pizza.json", type: "CustomTheme" }],
      },
    ],
    settings: {
      useStylableVisualContainerHeader: true,
      defaultDrillFilterOtherVisuals: true,
      useEnhancedTooltips: true,
    },
  };
}

/** The table and the name of a field. */
export function partsOf(field: Field): { table: string; name: string; kind: "Column" | "Measure" } {
  if (typeof field !== "string") return { table: measuresTable, name: field.measure, kind: "Measure" };
  const dot = field.indexOf(".");
  return { table: field.slice(0, dot), name: field.slice(dot + 1), kind: "Column" };
}

function projection(field: Field): object {
  const { table, name } = partsOf(field);
  return { field: expression(field), queryRef: `${table}.${name}`, nativeQueryRef: name };
}

function expression(field: Field): object {
  const { table, name, kind } = partsOf(field);
  return { [kind]: { Expression: { SourceRef: { Entity: table } }, Property: name } };
}

function visualContent({ name, type, title, at, fields, sortBy }: Visual, order: number): object {
  const { x, y, width, height } = at;
  return {
    name,
    position: { x, y, z: order * 1000, height, width, tabOrder: order * 1000 },
    visual: {
      visualType: type,
      query: {
        queryState: Object.fromEntries(
          Object.entries(fields).map(([role, given]) => [role, { projections: given.map(projection) }]),
        ),
        ...(sortBy !== undefined && {
          sortDefinition: { sort: [{ field: expression(sortBy), direction: "Descending" }], isDefaultSort: false },
        }),
      },
      visualContainerObjects: {
        title: [{ properties: { show: literal("true"), text: literal(`'${title.replaceAll("'", "''")}'`) } }],
      },
      drillFilterOtherVisuals: true,
    },
  };
}

function literal(value: string): object {
  return { expr: { Literal: { Value: value } } };
}
