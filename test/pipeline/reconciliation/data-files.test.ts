import { describe, expect, it } from "vitest";
import { createFindings } from "../../../pipeline/domain/receipt.ts";
import type { LakeQuery, LakeTable } from "../../../pipeline/ports.ts";
import { watchDataFiles } from "../../../pipeline/reconciliation/data-files.ts";

const table: LakeTable = {
  name: "lines",
  version: 3,
  files: ["a", "b", "c", "d", "e"],
  columns: [{ name: "order_id", type: "string" }],
};

/** An engine that fails if a damaged file is among those it reads, and otherwise returns their keys. */
function engine(damaged: readonly string[]): LakeQuery & { asked: number } {
  const lake = {
    asked: 0,
    async query(_sql: string, _parameters: unknown, tables: readonly LakeTable[]) {
      lake.asked++;
      const files = tables.flatMap((asked) => asked.files);
      if (files.some((file) => damaged.includes(file))) throw new Error("snappy says no");
      return files.map((file) => ({ file }));
    },
  };
  return lake;
}

const keys = (rows: Record<string, unknown>[]) => rows.map(({ file }) => file).join("");

describe("lake SQL over damaged data files", () => {
  it("reads the intact files, and reports each damaged file once", async () => {
    const findings = createFindings();
    const { lake } = watchDataFiles(engine(["b", "e"]), findings);
    expect(keys(await lake.query("select", [], [table]))).toBe("acd");
    expect(keys(await lake.query("select", [], [{ ...table, files: ["b", "c"] }]))).toBe("c");
    expect(findings.list()).toEqual([
      { invariant: "the lake is whole", sentence: "2 data files cannot be read", examples: ["b", "e"] },
    ]);
  });

  it("queries once if all files are intact", async () => {
    const whole = engine([]);
    expect(keys(await watchDataFiles(whole, createFindings()).lake.query("select", [], [table]))).toBe("abcde");
    expect(whole.asked).toBe(1);
  });

  it("skips files that could not be read before", async () => {
    const whole = engine([]);
    const findings = createFindings();
    const files = watchDataFiles(whole, findings);
    expect(await files.read("a", async () => "content")).toBe("content");
    expect(await files.read("c", () => Promise.reject(new Error("no parquet")))).toBeUndefined();
    expect(keys(await files.lake.query("select", [], [table]))).toBe("abde");
    expect(findings.list()[0]!.examples).toEqual(["c"]);
  });

  it("fails with the engine's own error if no file is the cause", async () => {
    const findings = createFindings();
    const down: LakeQuery = { query: () => Promise.reject(new Error("service unavailable")) };
    await expect(watchDataFiles(down, findings).lake.query("select", [], [table])).rejects.toThrow(
      "service unavailable",
    );
    const picky: LakeQuery = {
      query: async (sql) => {
        if (sql === "selekt") throw new Error("syntax error");
        return [];
      },
    };
    await expect(watchDataFiles(picky, findings).lake.query("selekt", [], [table])).rejects.toThrow("syntax error");
    expect(findings.list()).toEqual([]);
  });
});
