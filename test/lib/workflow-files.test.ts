import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { functionNames } from "../../lib/function-entries.ts";
import { readWorkflows, workflowFolder } from "../../lib/workflow-files.ts";
import { SettingsError } from "../../lib/config.ts";
import { ofType, only, synthesise } from "./synthesise.ts";

const validate = createRequire(import.meta.url)("asl-validator") as (definition: object) => {
  isValid: boolean;
  errors: unknown[];
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pizza-workflows-"));
  cpSync(workflowFolder, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const definition = (resource: string) =>
  JSON.stringify({ StartAt: "Only", States: { Only: { Type: "Task", Resource: resource, End: true } } });

describe("the workflows", () => {
  test.each(readWorkflows(workflowFolder))("$name is a valid state machine", ({ definition: text }) => {
    // The validator requires an ARN in place of a placeholder.
    const bound = text.replaceAll(/\$\{(\w+)\}/g, "arn:aws:lambda:us-east-1:123456789012:function:$1");
    expect(validate(JSON.parse(bound) as object)).toMatchObject({ isValid: true, errors: [] });
  });

  test("use functions that are each created once, and LandRecords reads the stream", () => {
    const { stacks, stateless } = synthesise("dev");
    for (const name of functionNames) {
      expect(Object.values(stacks.stateless.node.findAll().filter(({ node }) => node.id === name)), name).toHaveLength(
        1,
      );
    }
    expect(only(stateless, "AWS::Lambda::EventSourceMapping").Properties["FunctionName"]).toEqual({
      Ref: expect.stringMatching(/^LandingLandRecords/) as string,
    });
  });

  test("have each placeholder bound to the function of that name", () => {
    const { stateless } = synthesise("dev");
    for (const { name, placeholders } of readWorkflows(workflowFolder)) {
      const id = `Workflows${name.replace(/(^|_)([a-z])/g, (_match, _gap, letter: string) => letter.toUpperCase())}`;
      const { DefinitionSubstitutions: bound } = only(stateless, "AWS::StepFunctions::StateMachine", id).Properties;
      expect(Object.keys(bound as object)).toEqual(placeholders);
      for (const [placeholder, value] of Object.entries(bound as Record<string, { "Fn::GetAtt": [string, string] }>)) {
        expect(value["Fn::GetAtt"]).toEqual([expect.stringContaining(placeholder), "Arn"]);
      }
    }
  });

  test("include a new file's state machine, with its schedule and its alarms", () => {
    writeFileSync(join(folder, "stocktaking.asl.json"), definition("${VerifyReceipt}"));
    writeFileSync(join(folder, "stocktaking.input.json"), '{"keep":7}');
    const before = synthesise("dev").stateless;
    const { stateless: after } = synthesise("dev", { workflows: folder });
    const added = (type: string) =>
      ofType(after, type)
        .filter(([id]) => !Object.hasOwn(before.Resources, id))
        .map(([, { Properties }]) => Properties);
    expect(added("AWS::StepFunctions::StateMachine")).toHaveLength(1);
    const [schedule] = added("AWS::Scheduler::Schedule");
    expect(schedule).toMatchObject({
      ScheduleExpression: "rate(1 day)",
      Target: { Input: '{"workflow":"stocktaking","input":{"keep":7}}' },
    });
    const alarms = added("AWS::CloudWatch::Alarm").map(({ AlarmDescription }) => AlarmDescription as string);
    expect(alarms).toHaveLength(3);
    for (const text of alarms) expect(text).toMatch(/^A run of stocktaking .+ What to do: .+\.\/pizza run stocktaking/);
  });

  test("are rejected if a placeholder has no function", () => {
    writeFileSync(join(folder, "stocktaking.asl.json"), definition("${SaveEverything}"));
    writeFileSync(join(folder, "stocktaking.input.json"), "{}");
    expect(() => synthesise("dev", { workflows: folder })).toThrow(
      "workflow stocktaking calls ${SaveEverything}, but no such function exists: correct the name, or add the function in lib/stages/",
    );
  });

  test("are rejected if a file has no input or an invalid one", () => {
    writeFileSync(join(folder, "stocktaking.asl.json"), definition("${VerifyReceipt}"));
    expect(() => readWorkflows(folder)).toThrow("workflow stocktaking has no file stocktaking.input.json");
    writeFileSync(join(folder, "stocktaking.input.json"), "{");
    expect(() => readWorkflows(folder)).toThrow("stocktaking.input.json is not valid JSON: fix it");
    expect(() => readWorkflows(folder)).toThrow(SettingsError);
  });
});
