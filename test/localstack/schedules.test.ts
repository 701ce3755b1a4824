import { expect, test } from "vitest";
import { environments } from "../../lib/config.ts";
import { nextDue, type DeployedSchedule } from "../../localstack/schedules.ts";

const minute = 60_000;

function schedule(name: string, expression: string, isEnabled = true): DeployedSchedule {
  return { name, expression, isEnabled, input: "{}" };
}

const refine = schedule("refine", "rate(1 minute)");
const publish = schedule("publish", "rate(5 minutes)");

function due(schedules: DeployedSchedule[], started: Record<string, number>, now: number): string | undefined {
  return nextDue(schedules, { startedAt: new Map(Object.entries(started)), now })?.name;
}

test("all schedules start immediately, one after another, and then each at its rate", () => {
  expect(due([refine, publish], {}, 0)).toBe("refine");
  expect(due([refine, publish], { refine: 0 }, 15_000)).toBe("publish");
  const started = { refine: 0, publish: 15_000 };
  expect(due([refine, publish], started, 30_000)).toBeUndefined();
  expect(due([refine, publish], started, minute)).toBe("refine");
  expect(due([refine, publish], { ...started, refine: 5 * minute }, 5 * minute + 15_000)).toBe("publish");
});

test("the most overdue schedule comes first", () => {
  expect(due([refine, publish], { refine: 8 * minute, publish: 0 }, 10 * minute)).toBe("publish");
});

test("a disabled schedule is not started", () => {
  expect(due([schedule("refine", "rate(1 minute)", false)], {}, 0)).toBeUndefined();
});

test("a schedule that is not a rate is rejected", () => {
  expect(() => due([schedule("refine", "cron(0 4 * * ? *)")], {}, 0)).toThrow(
    "schedule refine is cron(0 4 * * ? *): LocalStack needs a rate",
  );
});

test("the environment has only rates", () => {
  for (const expression of Object.values(environments.localstack.schedules)) {
    expect(() => due([schedule("any", expression)], { any: 0 }, 1)).not.toThrow();
  }
});
