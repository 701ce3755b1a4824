import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { qualityRules } from "../../pipeline/domain/quality-rules.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";
import { temporaryPipeline } from "./command-line-fixture.ts";
import { quickPizza } from "./command-line-in-process.ts";

const { dir, remove } = temporaryPipeline();
const run = (...args: string[]) => quickPizza(dir, ...args);

beforeAll(async () => {
  await prepareLocalPipeline(dir);
  await run("start");
  await run("produce", "--from", "2026-09-01", "--orders", "300", "--seed", "3", "--faults", "gap=0.05", "--wait");
});
afterAll(async () => {
  await run("stop");
  remove();
});

describe("./pizza quality, after some orders were lost at the tills", () => {
  it("exits with code 3, and names the rule and its offenders", async () => {
    const { code, stdout } = await run("quality");
    expect(code).toBe(3);
    expect(stdout).toMatch(/producer_gaps +producers +error +\d+ +RED/);
    expect(stdout).toMatch(/\n {4}replay:till-.*: \d+/);
    expect(stdout).toContain("RED: 1 error, 0 warnings.");
  });

  it("exits with code 3 as a workflow too, with an alert in the log and the rule in the status", async () => {
    const workflow = await run("run", "data_quality");
    expect(workflow).toMatchObject({ code: 3, stderr: expect.stringContaining("red: producer_gaps") });
    expect((await run("status")).stdout).toMatch(
      new RegExp(`quality +1 of ${qualityRules.length} rules are red: producer_gaps \\(error\\)`),
    );
    expect((await run("logs")).stdout).toContain("ALERT Pizza sales: the receipt does not balance");
  });

  it("checks a single rule, which is green, and rejects an unknown one", async () => {
    const { code, stdout } = await run("quality", "--rule", "menu_prices", "--json");
    const { results } = JSON.parse(stdout) as { results: { name: string }[] };
    expect({ code, names: results.map(({ name }) => name) }).toEqual({ code: 0, names: ["menu_prices"] });
    const unknown = await run("quality", "--rule", "no_such");
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("choose one of required_values") });
  });

  it("profiles silver", async () => {
    const { stdout } = await run("quality", "--profile", "--json");
    const { week, columns } = JSON.parse(stdout) as { week: object; columns: { name: string; nulls: number }[] };
    expect(week).toMatchObject({ from: expect.stringMatching(/^2026-0[89]/) });
    expect(columns.find(({ name }) => name === "status")).toMatchObject({ nulls: 0, least: "placed" });
  });
});
