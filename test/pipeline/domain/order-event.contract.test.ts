import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generate } from "../../../scripts/generate.ts";
import { incompatibilities, readSchema as read, type Schema, versionsOf } from "./contract/incompatibilities.ts";

const domain = new URL("../../../pipeline/domain/", import.meta.url);
const current = read(new URL("order-event.schema.json", domain));
const releasedSchemas = versionsOf(current).map((version) =>
  read(new URL(`contract/order-event-${version}.schema.json`, import.meta.url)),
);
const [released, second] = releasedSchemas as [Schema, Schema];

function changed(change: (schema: any) => void): string[] {
  const schema = structuredClone(released);
  change(schema);
  return incompatibilities(released, schema);
}

describe("the order event's contract", () => {
  it("accepts every event that a released contract accepts", () => {
    for (const schema of releasedSchemas) expect(incompatibilities(schema, current)).toEqual([]);
  });

  it("may not forbid a field of version 2", () => {
    const schema = structuredClone(second) as { then: { properties: Record<string, false> } };
    schema.then.properties["customer"] = false;
    expect(incompatibilities(second, schema as Schema)).toEqual(["event.customer: is forbidden in version 1 now"]);
  });

  it("allows no incompatible change, and names it", () => {
    expect(changed((s) => s.required.push("customer"))).toEqual(["event.customer: is required now"]);
    expect(changed((s) => delete s.properties.channel)).toEqual(["event.channel: is gone"]);
    expect(changed((s) => s.properties.status.enum.pop())).toEqual(["event.status: refunded is no longer allowed"]);
    expect(changed((s) => (s.properties.schema_version.const = 2))).toEqual([
      "event.schema_version: 1 is no longer allowed",
    ]);
    expect(changed((s) => (s.properties.lines.items.properties.quantity.maximum = 50))).toEqual([
      "event.lines[].quantity: maximum is narrower",
    ]);
    expect(changed((s) => (s.properties.customer.properties.name.minLength = 1))).toEqual([
      "event.customer.name: minLength is narrower",
    ]);
    expect(changed((s) => (s.properties.order_id.type = "integer"))).toEqual([
      "event.order_id: type string became integer",
    ]);
  });

  it("allows a new optional field, a new value and a wider limit", () => {
    const allowed = changed((s) => {
      s.properties.promotion_code = { type: "string" };
      s.properties.channel.enum.push("kiosk");
      s.properties.lines.maxItems = 300;
      s.properties.schema_version = { enum: [1, 2] };
    });
    expect(allowed).toEqual([]);
  });

  it("is what the validator and the types were generated from", async () => {
    for (const [name, content] of Object.entries(await generate())) {
      expect(readFileSync(new URL(`generated/${name}`, domain), "utf8")).toBe(content);
    }
  });
});
