import * as fc from "fast-check";
import { expect, test } from "vitest";
import { VersionedMap } from "../../../pipeline/delta/snapshot.ts";

test("every version of a versioned map equals an ordinary map at that time", () => {
  const keys = fc.integer({ min: 0, max: 300 }).map(String);
  const changes = fc.array(fc.tuple(keys, fc.option(fc.integer(), { nil: undefined })), {
    maxLength: 120,
    size: "max",
  });
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 12 }), (steps) => {
      const model = new Map<string, number>();
      let map = new VersionedMap<number>();
      const versions: [VersionedMap<number>, [string, number][]][] = [];
      for (const step of steps) {
        for (const [key, value] of step) {
          if (value === undefined) model.delete(key);
          else model.set(key, value);
        }
        map = map.with(new Map(step));
        versions.push([map, [...model]]);
      }
      for (const [version, entries] of versions) {
        expect([...version]).toHaveLength(entries.length);
        expect(new Map(version)).toEqual(new Map(entries));
        expect(version.size).toBe(entries.length);
        expect(entries.every(([key, value]) => version.has(key) && version.get(key) === value)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
