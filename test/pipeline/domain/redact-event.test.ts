import { describe, expect, it } from "vitest";
import { maskBytes, redactEvent } from "../../../pipeline/domain/redact-event.ts";
import { catalog, order } from "../../support/order-fixture.ts";

const who = { customerId: "c-000117", pseudonym: "forgotten-1" };
const redacted = (event: unknown) =>
  redactEvent(typeof event === "string" ? event : JSON.stringify(event), who, { catalog });

describe("a redacted event", () => {
  it("keeps the bytes of the order, and only a pseudonym of the customer", () => {
    const customer = { customer_id: "c-000117", name: "Ada", email: "a@b", phone: "1", city: "X", postal_code: "8" };
    const event = order({ customer });
    const blank = { customer_id: "forgotten-1", name: "x", email: "x", phone: "x", city: "x", postal_code: "x" };
    expect(redacted(event)).toBe(JSON.stringify({ ...event, customer: blank }));
  });

  it("keeps white space, escapes and number formats", () => {
    const text =
      '{ "revision" : 1.0e0,\n"customer":{ "customer_id":"c-000117", "name":"A\\"da" },"order_id":"\\u0041" }';
    expect(redacted(text)).toBe(
      '{ "revision" : 1.0e0,\n"customer":{ "customer_id":"forgotten-1", "name":"x" },"order_id":"\\u0041" }',
    );
  });

  it("contains no text or number that is not known to be harmless, at any path", () => {
    const text = redacted({
      ...order(),
      note: "call Ada",
      more: { deep: ["Ada", 5551234, true, null] },
      customer: { customer_id: "c-000118", name: 5551234 },
      lines: [{ line_no: 1, pizza_id: "bbq_ckn_s", remark: "for Ada", extra: [{ order_id: "Ada" }] }],
      producer: { producer_id: "till-1", seq: 4, cashier: "Ada" },
    });
    expect(text).not.toMatch(/Ada|5551234|c-000118/);
    expect(JSON.parse(text)).toMatchObject({
      order_id: "2015-000001",
      lines: [{ line_no: 1, pizza_id: "bbq_ckn_s", remark: "x" }],
      producer: { producer_id: "till-1", seq: 4, cashier: "x" },
      more: { deep: ["x", 0, true, null] },
      customer: { customer_id: "x", name: 0 },
    });
  });

  it("is redacted at every duplicate key, with keys read as JSON does", () => {
    const text = '{"cust\\u006fmer":{"customer_id":"c-000117"},"customer":{"customer_id":"c-000117","name":"Ada"}}';
    expect(redacted(text)).not.toMatch(/c-000117|Ada/);
  });
});

describe("masked bytes", () => {
  it("keep the length and the order id, and no other letter or digit", () => {
    const text = '{"order_id":"a-1","customer":{"name":"Ada Ünal"},"lines":[{"quantity":1';
    const masked = Buffer.from(maskBytes(Buffer.from(text), { isUtf8: true }));
    expect(masked.toString()).toBe('{"order_id":"a-1","xxxxxxxx":{"xxxx":"xxx xxxxx"},"xxxxx":[{"xxxxxxxx":x');
    expect(masked).toHaveLength(Buffer.byteLength(text));
  });

  it("stay invalid UTF-8 if they were", () => {
    expect([...maskBytes(Uint8Array.of(0x22, 0x41, 0xff), { isUtf8: false })]).toEqual([0x22, 0xff, 0x78]);
  });
});
