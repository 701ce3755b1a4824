import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Facet, LineageEvent } from "../../../pipeline/lineage/open-lineage.ts";

const folder = new URL("schemas/", import.meta.url);
const read = (path: string) =>
  JSON.parse(readFileSync(new URL(path, folder), "utf8")) as { $id: string; $defs: object };

const formats = {
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  uri: /^[a-z][a-z0-9+.-]*:\S+$/i,
};

const ajv = new Ajv2020({ strict: false, allErrors: true, formats });
const core = read("OpenLineage.json");
ajv.addSchema(core);
const facetSchemas = readdirSync(new URL("facets/", folder)).map((file) => read(`facets/${file}`));
for (const schema of facetSchemas) ajv.addSchema(schema);
// The published schema requires the same.
ajv.addSchema({
  $id: "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json",
  $defs: {
    DatasetVersionDatasetFacet: {
      allOf: [
        { $ref: `${core.$id}#/$defs/DatasetFacet` },
        { type: "object", properties: { datasetVersion: { type: "string" } }, required: ["datasetVersion"] },
      ],
    },
  },
});
const isRunEvent = ajv.getSchema(`${core.$id}#/$defs/RunEvent`)!;

/** Validates an event and each of its facets against the published schemas; returns the errors. */
export function mistakesOf(event: LineageEvent): string[] {
  const mistakes = isRunEvent(event) ? [] : [ajv.errorsText(isRunEvent.errors)];
  for (const [name, facet] of facetsOf(event)) {
    if (name.startsWith("pizzaSales_")) continue;
    const check = ajv.getSchema(facet._schemaURL);
    if (check === undefined) mistakes.push(`${name}: no such schema as ${facet._schemaURL}`);
    else if (!check(facet)) mistakes.push(`${name}: ${ajv.errorsText(check.errors)}`);
  }
  return mistakes;
}

function facetsOf({ run, job, inputs, outputs }: LineageEvent): [string, Facet][] {
  const holders = [
    run.facets,
    job.facets,
    ...[...inputs, ...outputs].flatMap(({ facets, inputFacets = {}, outputFacets = {} }) => [
      facets,
      inputFacets,
      outputFacets,
    ]),
  ];
  return holders.flatMap((facets) => Object.entries(facets));
}
