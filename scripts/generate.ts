/** Generates the order event's types and validator from its JSON Schema. `--check` only compares. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { compile } from "json-schema-to-typescript";

const domain = new URL("../pipeline/domain/", import.meta.url);
const contract = JSON.parse(readFileSync(new URL("order-event.schema.json", domain), "utf8"));
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

if (import.meta.main) {
  const stale = [];
  mkdirSync(new URL("generated/", domain), { recursive: true });
  for (const [name, content] of Object.entries(await generate())) {
    const path = new URL(`generated/${name}`, domain);
    if (!process.argv.includes("--check")) writeFileSync(path, content);
    else if (readFileSync(path, "utf8") !== content) stale.push(name);
  }
  if (stale.length > 0) {
    console.error(`generated files are out of date: ${stale.join(", ")}: run npm run generate`);
    process.exit(1);
  }
}
