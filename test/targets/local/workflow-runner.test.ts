import { readdirSync, readFileSync } from "node:fs";
// @ts-expect-error: the package has no types
import aslValidator from "asl-validator";
import { describe, expect, it } from "vitest";
import { workflowNames } from "../../../targets/pipeline-api.ts";
import { loadWorkflow, type Functions } from "../../../targets/local/workflow-runner.ts";

const folder = new URL("../../../step-functions/", import.meta.url);

const definitions = readdirSync(folder).filter((name) => name.endsWith(".asl.json"));

/** Every function of bronze_to_silver; each call is recorded. */
function functions(calls: string[], changes: Record<string, (input: any) => Promise<unknown>> = {}): Functions {
  const all = {
    RedriveLanding: async () => ({ records: 0 }),
    RefineSilver: async () => ({ remaining: 0 }),
    PublishQuarantine: async () => ({}),
    CompactSilver: async () => ({}),
  };
  return Object.fromEntries(
    Object.entries({ ...all, ...changes }).map(([name, call]) => [
      name,
      async (input: never) => {
        calls.push(name);
        return await (call as (input: unknown) => Promise<unknown>)(input);
      },
    ]),
  );
}

describe("a workflow", () => {
  it("refines until nothing remains, then continues", async () => {
    const calls: string[] = [];
    let remaining = 2;
    const workflow = loadWorkflow(
      "bronze_to_silver",
      functions(calls, { RefineSilver: async () => ({ remaining: remaining-- }) }),
    );
    const output = await workflow.run({ sweep: "full" });
    const refined = ["RefineSilver", "RefineSilver", "RefineSilver"];
    expect(calls).toEqual(["RedriveLanding", ...refined, "PublishQuarantine", "CompactSilver"]);
    expect(output).toMatchObject({ sweep: "full", refined: { remaining: 0 } });
  });

  it("retries a failed step", async () => {
    const calls: string[] = [];
    let failures = 1;
    const PublishQuarantine = async () => {
      if (failures-- > 0) throw new Error("once");
      return {};
    };
    await loadWorkflow("bronze_to_silver", functions(calls, { PublishQuarantine })).run({ sweep: "full" });
    expect(calls.filter((name) => name === "PublishQuarantine")).toHaveLength(2);
  });

  it("fails with the error of its step", async () => {
    const broken = functions([], { CompactSilver: async () => Promise.reject(new Error("the lake is read-only")) });
    await expect(loadWorkflow("bronze_to_silver", broken).run({ sweep: "full" })).rejects.toThrow(
      "workflow bronze_to_silver failed: the lake is read-only",
    );
  });

  it("checks the quality rules although the receipt failed, and then fails with the receipt's error", async () => {
    const given: unknown[] = [];
    const CheckQuality = async (input: unknown) => void given.push(input);
    const failing = { VerifyReceipt: async () => Promise.reject(new Error("bronze does not answer")), CheckQuality };
    await expect(loadWorkflow("data_quality", failing as Functions).run({})).rejects.toThrow(
      "workflow data_quality failed: bronze does not answer",
    );
    expect(given).toEqual([{ receipt: { Error: "Error", Cause: "bronze does not answer" } }]);

    const receipt = { findings: [], notes: [], unpublishedDays: [] };
    const whole = { VerifyReceipt: async () => receipt, CheckQuality: async () => ({ errors: 0 }) };
    const output = await loadWorkflow("data_quality", whole).run({});
    expect(output).toEqual({ receipt, quality: { errors: 0 } });
  });

  it("is rejected if a state calls a function that does not exist", () => {
    const { CompactSilver: _, ...some } = functions([]);
    expect(() => loadWorkflow("bronze_to_silver", some)).toThrow('state "Compact silver" calls ${CompactSilver}');
  });

  it.each(definitions)("%s is valid Amazon States Language", (file) => {
    const text = readFileSync(new URL(file, folder), "utf8").replaceAll(
      /\$\{(\w+)\}/g,
      "arn:aws:lambda:eu-west-1:000000000000:function:$1",
    );
    expect(aslValidator(JSON.parse(text))).toMatchObject({ isValid: true });
  });

  it("has a name in the command line's list, and a sample input", () => {
    expect(definitions.map((name) => name.replace(".asl.json", ""))).toEqual(workflowNames.toSorted());
    for (const name of workflowNames) {
      const sample: unknown = JSON.parse(readFileSync(new URL(`${name}.input.json`, folder), "utf8"));
      expect(sample, name).toBeTypeOf("object");
    }
  });
});
