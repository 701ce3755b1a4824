/**
 * Generates the order event's types and validator from its JSON Schema, the Power BI project and the glossary from the
 * description of the measures. `--check` only compares.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { compile } from "json-schema-to-typescript";
import { loadMigrations } from "../adapters/project-files.ts";
import { glossary } from "../bi/glossary.ts";
import { commentsOf, powerBiProject } from "../bi/power-bi-project.ts";

const root = new URL("../", import.meta.url);
const contract = JSON.parse(readFileSync(new URL("pipeline/domain/order-event.schema.json", root), "utf8"));
const banner = "// Generated from order-event.schema.json by scripts/generate.ts. Do not edit.\n";

/** Content of the generated files by name below `pipeline/domain/generated/`. */
export async function generate(schema = contract): Promise<Record<string, string>> {
  const ajv = new Ajv({
    code: { source: true, esm: true, optimize: 2 },
    strict: true,
    messages: false,
    allowUnionTypes: true,
    logger: false,
  });
  const generated: string = standalone.default(ajv, ajv.compile(schema));
  // JSON Schema counts code points. Ajv's counter would be a dependency of every bundle.
  const code = generated.replace(/require\("ajv\/dist\/runtime\/ucs2length"\)\.default/, "(text) => [...text].length");
  if (code.includes("require(")) throw new Error("the validator needs a module that is not inlined");
  // Which keys a version has is for the validator: a type has them all, as optional properties.
  const { allOf: _, ...plain } = withoutNull(schema);
  const types = await compile(plain, "OrderEvent", { bannerComment: "", format: true, additionalProperties: false });
  return {
    "order-event.validator.js": `${banner}${code}\n`,
    "order-event.validator.d.ts":
      `${banner}import type { ErrorObject } from "ajv";\n` +
      `declare function validate(event: unknown): boolean;\n` +
      `declare namespace validate {\n  let errors: ErrorObject[] | null | undefined;\n}\nexport default validate;\nexport { validate };\n`,
    "order-event.types.ts": `${banner}${types}`,
  };
}

/** Returns a schema whose fields are not null: null means absent, and the check removes it. */
function withoutNull(schema: any): any {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === "type" && Array.isArray(value) ? value.find((type) => type !== "null") : value,
  );
}

/** Content of every generated file by path in the project. */
export async function generateAll(): Promise<Map<string, string>> {
  const ofEvents = Object.entries(await generate());
  const comments = commentsOf(loadMigrations().map(({ sql }) => sql));
  const page = readFileSync(new URL("docs/measures.md", root), "utf8");
  return new Map<string, string>([
    ...ofEvents.map(([name, content]) => [`pipeline/domain/generated/${name}`, content] as const),
    ...[...powerBiProject(comments)].map(([path, content]) => [`powerbi/${path}`, content] as const),
    ["docs/measures.md", glossary(page)],
  ]);
}

if (import.meta.main) {
  const stale = [];
  for (const [path, content] of await generateAll()) {
    const file = fileURLToPath(new URL(path, root));
    if (!process.argv.includes("--check")) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    } else if (readFileSync(file, "utf8") !== content) stale.push(path);
  }
  if (stale.length > 0) {
    console.error(`generated files are out of date: ${stale.join(", ")}: run npm run generate`);
    process.exit(1);
  }
}
