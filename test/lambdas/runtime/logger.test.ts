import { describe, expect, it } from "vitest";
import { allowed, safeError, safeText } from "../../../lambdas/runtime/logger.ts";

const customer = { name: "Ada Lovelace", email: "ada@example.com", phone: "+1 212 555 0134", postal_code: "10001" };

/** V8's error message for text that is not JSON. */
function parseError(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it is JSON");
}

describe("a logged text", () => {
  it.each([
    `cannot read ${JSON.stringify(customer)}`,
    `cannot read ${JSON.stringify([customer])} of shard 1`,
    `cannot read ${JSON.stringify(JSON.stringify(customer))}`,
    parseError("Ada Lovelace,ada@example.com"),
    parseError("[1, Ada Lovelace, ada@example.com and so on]"),
    parseError("Ada"),
    parseError(`${JSON.stringify(customer)} Ada`),
    parseError(JSON.stringify(customer).slice(0, 20)),
    'invalid input syntax for type integer: "Ada Lovelace"',
    'ERROR: invalid input syntax for type date: "Ada Lovelace"; Position: 7; SQLState: 22007',
    "duplicate key value: Key (name, email)=(Ada Lovelace, ada@example.com) already exists.",
    "no such person as <ada@example.com>, call +1 212 555 0134 or +12125550134",
  ])("contains no customer data: %s", (text) => {
    expect(safeText(text)).not.toMatch(/Ada|Lovelace|example|212|10001/);
  });

  it.each([
    'relation "gold.daily_sales_summary" does not exist',
    "bronze object bronze/orders/2026-11-23T07/shardId-000000000000/49-50-2-0123456789abcdef.parquet was listed but cannot be read",
    "Delta table silver/order_lines: version 12 never was; choose one from 0 to 11",
    "setting LAKE_BUCKET is missing: set it in the function's environment to the name of the lake's bucket",
  ])("keeps what is safe to log: %s", (text) => {
    expect(safeText(text)).toBe(text);
  });

  it("is at most 500 characters long", () => {
    expect(safeText("a".repeat(501))).toBe(`${"a".repeat(499)}…`);
    expect(safeText("a".repeat(500))).toHaveLength(500);
  });
});

describe("an error that a function throws", () => {
  it("keeps its name, but not its cause, its own fields or a stack with customer data", () => {
    class TooSlow extends Error {
      override name = "TooSlow";
      readonly customer = customer;
    }
    const safe = safeError(new TooSlow(`slow: {"name":"Ada"}\nAda`, { cause: customer }));
    expect(safe.name).toBe("TooSlow");
    expect(safe).not.toHaveProperty("customer");
    expect(safe.cause).toBeUndefined();
    expect(`${safe.message} ${safe.stack}`).not.toMatch(/Ada/);
    expect(safe.stack).toMatch(/^TooSlow: slow: …\n\s+at /);
  });

  it("can be any value", () => {
    expect(safeError("no room").message).toBe("no room");
  });
});

describe("the fields of a log line", () => {
  it("are limited to an allow-list, with lists replaced by their length", () => {
    const fields = {
      records: 3,
      created: true,
      windows: ["2015-01-01", "2015-01-02"],
      customer,
      payload: "x",
      rows: customer,
    };
    expect(allowed(fields)).toEqual({ records: 3, created: true, windows: 2 });
  });
});
