import { expect, it } from "vitest";
import { daypartOf } from "../../../pipeline/domain/catalog.ts";

it("every hour belongs to one daypart, and the night to the evening before", () => {
  const hours = Array.from({ length: 24 }, (_, hour) => daypartOf(hour));
  const parts = [...Map.groupBy(hours.keys(), (hour) => hours[hour])];
  expect(parts).toEqual([
    ["late", [0, 1, 2, 3, 4, 21, 22, 23]],
    ["lunch", [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]],
    ["afternoon", [15, 16]],
    ["dinner", [17, 18, 19, 20]],
  ]);
});
