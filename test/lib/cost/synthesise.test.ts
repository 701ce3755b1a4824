import { describe, expect, it } from "vitest";
import { startsAMonth, sizeOf } from "../../../lib/cost/deployment-size.ts";
import { environments } from "../../../lib/config.ts";
import { loadPrices, unknownTypes } from "../../../lib/cost/price-table.ts";
import { synthesise } from "../../../lib/cost/synthesise.ts";
import { functionNames } from "../../../lib/function-entries.ts";

describe.each(["dev", "staging", "prod"] as const)("the templates of %s", (name) => {
  const resources = synthesise(name);

  it("contain only resource types in the price table", () => {
    expect(unknownTypes(resources, loadPrices())).toEqual([]);
    expect(unknownTypes([{ id: "Farm", type: "AWS::Tea::Farm", properties: {} }], loadPrices())).toEqual([
      "AWS::Tea::Farm",
    ]);
  });

  it("have the size that lib/config.ts sets", () => {
    const environment = environments[name];
    const size = sizeOf(resources, functionNames);
    expect(size).toMatchObject({
      stream: environment.stream,
      landing: {
        batchRecords: environment.landing.batchRecords,
        windowSeconds: environment.landing.windowSeconds,
      },
      architecture: environment.architecture,
      lakeSql: environment.lakeSql,
      starts: {
        bronze_to_silver: startsAMonth(environment.schedules["bronze_to_silver"]!),
        silver_to_gold: startsAMonth(environment.schedules["silver_to_gold"]!),
      },
      aurora: { minAcu: "minAcu" in environment.warehouse ? environment.warehouse.minAcu : -1 },
      dashboards: 1,
      isTraced: true,
    });
    expect(Object.keys(size.functions).toSorted()).toEqual([...functionNames].toSorted());
    expect(size.alarmMetrics).toBeGreaterThan(5);
  });
});
