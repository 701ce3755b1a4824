import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { startTimer } from "../../../targets/local/timer.ts";

function create(task: () => Promise<void>) {
  const errors: string[] = [];
  const timer = startTimer({ task, intervalMs: 1, idleMs: 3_600_000, onError: (error) => errors.push(error.message) });
  return { timer, errors };
}

it("a timer runs its task when it is triggered, and not before", async () => {
  let runs = 0;
  const { timer } = create(async () => void runs++);
  await sleep(20);
  expect(runs).toBe(0);
  timer.wake();
  await expect.poll(() => runs).toBe(1);
  await timer.stop();
});

it("a timer runs its task immediately when it is triggered after the clock was set back", async () => {
  let runs = 0;
  const { timer } = create(async () => void runs++);
  timer.wake();
  await expect.poll(() => runs).toBe(1);
  const { now } = Date;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => now() - 3_600_000);
  timer.wake();
  await expect.poll(() => runs).toBe(2);
  clock.mockRestore();
  await timer.stop();
});

it("a timer never has concurrent runs, even if some are started manually", async () => {
  let [now, most] = [0, 0];
  const task = async () => {
    most = Math.max(most, ++now);
    await sleep(5);
    now--;
  };
  const { timer } = create(task);
  const byHand = [1, 2, 3].map(() => timer.runNow(task));
  timer.wake();
  await Promise.all(byHand);
  await timer.stop();
  expect(most).toBe(1);
});

it("a timer reports a failure and runs again", async () => {
  let runs = 0;
  const { timer, errors } = create(async () => {
    if (runs++ === 0) throw new Error("once");
  });
  timer.wake();
  await expect.poll(() => errors).toEqual(["once"]);
  timer.wake();
  await expect.poll(() => runs).toBe(2);
  expect({ runs, errors }).toEqual({ runs: 2, errors: ["once"] });
  await timer.stop();
});

it("a manual run has its own result and its own error", async () => {
  const { timer, errors } = create(async () => {});
  expect(await timer.runNow(async () => 7)).toBe(7);
  await expect(timer.runNow(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  await timer.stop();
  expect(errors).toEqual([]);
});
