import { expect, it } from "vitest";
import { maskBytes } from "../../../pipeline/domain/redact-event.ts";
import { salvageProducer, salvagedFields } from "../../../pipeline/domain/sequence-gaps.ts";

const damaged = '{"name":"Ada ü","producer": {"producer_id" : "till-1", "seq": 12}';

it("a damaged event's producer fields are salvaged from its bytes", () => {
  expect(salvageProducer(damaged)).toEqual({ producerId: "till-1", seq: 12 });
  const bytes = Buffer.from(damaged);
  expect(salvagedFields(bytes).map(([start, end]) => bytes.subarray(start, end).toString())).toEqual([
    '"producer_id" : "till-1"',
    '"seq": 12}',
  ]);
});

it("a number that may be truncated, or that has no till, is not salvaged", () => {
  expect(salvageProducer(damaged.slice(0, -1))).toEqual({ producerId: "till-1" });
  expect(salvageProducer('"seq": 12}')).toBeUndefined();
  expect(salvagedFields(Buffer.from('"seq": 12}'))).toEqual([]);
});

it("producer fields survive masking, so that the receipt still balances", () => {
  const masked = Buffer.from(maskBytes(Buffer.from(damaged), { isUtf8: true })).toString();
  expect(masked).not.toContain("Ada");
  expect(salvageProducer(masked)).toEqual({ producerId: "till-1", seq: 12 });
});
