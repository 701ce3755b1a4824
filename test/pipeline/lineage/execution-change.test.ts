import { expect, test } from "vitest";
import { changeOf, type ExecutionStatusChange } from "../../../pipeline/lineage/execution-change.ts";

const machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:BronzeToSilver";
const machines = { bronze_to_silver: machine, silver_to_gold: `${machine}-other` };

function status(detail: Partial<ExecutionStatusChange["detail"]>): ExecutionStatusChange {
  return {
    account: "123456789012",
    region: "eu-central-1",
    detail: {
      executionArn: "arn:aws:states:eu-central-1:123456789012:execution:BronzeToSilver:2026-11-24T12-vabc",
      stateMachineArn: machine,
      status: "RUNNING",
      startDate: 1_795_000_000_123,
      stopDate: null,
      output: null,
      ...detail,
    },
  };
}

test("a start and its end have the same run id", () => {
  const start = changeOf(status({}), machines);
  const output = JSON.stringify({ refined: { lines: 3 } });
  const end = changeOf(status({ status: "SUCCEEDED", stopDate: 1_795_000_004_000, output }), machines);
  expect(start).toEqual({
    workflow: "bronze_to_silver",
    // uuid.uuid5(uuid.NAMESPACE_URL, executionArn), computed by Python.
    runId: "cfac0685-f6e6-5ab6-89f8-7fda941b47c9",
    state: "START",
    at: 1_795_000_000_123,
    startedAt: 1_795_000_000_123,
  });
  expect(end).toEqual({
    ...start,
    state: "COMPLETE",
    at: 1_795_000_004_000,
    output: { refined: { lines: 3 } },
  });
});

test("an output that is too long for an event is omitted, and a redriven run starts again", () => {
  const end = changeOf(status({ status: "SUCCEEDED", stopDate: 1_795_000_004_000 }), machines);
  expect(end).not.toHaveProperty("output");
  expect(changeOf(status({ redriveDate: 1_795_000_009_000 }), machines)).toMatchObject({
    at: 1_795_000_009_000,
    startedAt: 1_795_000_000_123,
  });
});

test.each([
  ["FAILED", "FAIL", { error: "Error", cause: '{"errorMessage":"no disk","trace":[]}' }, "FAILED: Error: no disk"],
  ["FAILED", "FAIL", { error: "States.Runtime", cause: "no JSON" }, "FAILED: States.Runtime: no JSON"],
  ["TIMED_OUT", "FAIL", {}, "TIMED_OUT"],
  ["ABORTED", "ABORT", { error: null, cause: null }, "ABORTED"],
] as const)("%s is %s, with its reason", (given, state, more, error) => {
  const change = changeOf(status({ status: given, stopDate: 1_795_000_004_000, ...more }), machines);
  expect(change).toMatchObject({ state, error, at: 1_795_000_004_000 });
});

test("times may be seconds or ISO 8601, as emulators write them", () => {
  expect(changeOf(status({ startDate: 1_795_000_000.123 }), machines)?.at).toBe(1_795_000_000_123);
  expect(changeOf(status({ startDate: "2026-11-24T12:00:00.000Z" }), machines)?.at).toBe(Date.UTC(2026, 10, 24, 12));
});

test("other state machines and other states are ignored", () => {
  expect(changeOf(status({ stateMachineArn: "arn:other" }), machines)).toBeUndefined();
  expect(changeOf(status({ status: "PENDING_REDRIVE" }), machines)).toBeUndefined();
});
