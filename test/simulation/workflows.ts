import { openWorker, type Services, type Worker } from "./pipeline.ts";
import { ExecutionStopped, StateMachine, type Progress } from "./state-machine.ts";
import { Process, type World } from "./world.ts";

const machines = {
  bronze_to_silver: StateMachine.load("bronze_to_silver"),
  silver_to_gold: StateMachine.load("silver_to_gold"),
};
export type WorkflowName = keyof typeof machines;

/** The workflows that a timer starts, one after another. */
const withoutGold: readonly WorkflowName[][] = [["bronze_to_silver"]];
const withGold: readonly WorkflowName[][] = [
  ["bronze_to_silver", "silver_to_gold"],
  ["bronze_to_silver", "silver_to_gold"],
  ["silver_to_gold"],
];

/** The probability that an execution stops before a step, relative to the history's fault rate. */
const stopShare = 0.3;

/** Runs the workflows with workers that die, repeated steps and concurrent executions. */
export class Workflows {
  private readonly workers: Worker[];
  private readonly world: World;
  private readonly services: Services;
  /** Whether gold is published during the storm: it is expensive, so many histories publish it only in the calm. */
  private readonly hasGold: boolean;
  private running = 0;

  constructor(world: World, services: Services) {
    this.world = world;
    this.services = services;
    this.hasGold = world.choices.chance(25);
    this.workers = Array.from({ length: 2 }, () => openWorker(world, services));
  }

  /** A timer that starts executions during the storm. Timers are independent of each other. */
  async startNowAndThen(): Promise<void> {
    const { choices, scheduler, faults } = this.world;
    const times = this.hasGold ? 2 + choices.below(4) : 1 + choices.below(3);
    const timer = new Process("timer");
    const stopped: (() => Promise<void>)[] = [];
    for (let time = 0; time < times; time++) {
      await scheduler.step(timer, () => {}, choices.below(40));
      const resume = stopped.pop();
      if (resume !== undefined && choices.chance(60)) {
        faults.fired("workflow: stopped execution is resumed");
        await resume();
      } else
        for (const name of choices.pick(this.hasGold ? withGold : withoutGold)) await this.execution(name, stopped)();
    }
  }

  /** Starts one execution; if it stops, a function that resumes it is added to `stopped`. */
  private execution(name: WorkflowName, stopped: (() => Promise<void>)[]): () => Promise<void> {
    const { choices, faults } = this.world;
    const input = {
      sweep: choices.pick(["full", "recent"]),
      customers: choices.pick(["now", "when due"]),
    };
    const progress = machines[name].begin(input);
    const goOn = async () => {
      if (this.running > 0) faults.fired("workflow: two concurrent executions");
      this.running++;
      faults.note(`execution of ${name} from ${progress.state}`);
      try {
        await this.go(name, progress);
      } catch {
        stopped.push(goOn);
      } finally {
        this.running--;
      }
    };
    return goOn;
  }

  private async go(name: WorkflowName, progress: Progress): Promise<void> {
    const { faults } = this.world;
    await machines[name].run(progress, async (resource, input) => {
      if (faults.draw(["workflow: execution stops"], faults.rate * stopShare)) throw new ExecutionStopped();
      return await this.invoke(resource, input);
    });
  }

  /** One call of a function by the runner. */
  private async invoke(resource: string, input: Record<string, unknown>): Promise<unknown> {
    const { faults } = this.world;
    const fault = faults.draw(stepFaults, faults.rate * 1.5);
    const call = () => this.callWorker(resource, input);
    switch (fault) {
      case "workflow: step runs again much later":
        this.callLater(call);
        return await call();
      case "workflow: step fails":
        throw new Error(`${resource} could not be called`);
      case "workflow: step succeeds, response is lost":
        await call();
        throw new Error(`the answer of ${resource} never came`);
      case "workflow: timed-out step keeps running during its retry":
        call().catch(() => {});
        throw new Error(`${resource} timed out`);
      case "workflow: step runs twice":
        return await this.twice(call);
      default:
        return await call();
    }
  }

  /** With its original input, although everything else has moved on. */
  private callLater(call: () => Promise<unknown>): void {
    const { scheduler, choices } = this.world;
    const late = { name: "a late call", isAlive: true };
    void scheduler.step(late, () => void call().catch(() => {}), 10 + choices.below(90));
  }

  /** Sequentially or concurrently. */
  private async twice(call: () => Promise<unknown>): Promise<unknown> {
    if (this.world.choices.chance(70)) return (await Promise.all([call(), call()]))[1];
    await call();
    return await call();
  }

  /** Any live worker; a dead one is replaced by a new one with empty caches. */
  private async callWorker(resource: string, input: Record<string, unknown>): Promise<unknown> {
    const { choices, faults } = this.world;
    const index = choices.below(this.workers.length);
    if (!this.workers[index]!.process.isAlive) this.workers[index] = openWorker(this.world, this.services);
    const { call, process } = this.workers[index]!;
    faults.note(`${process.name}: ${resource} ${JSON.stringify(input).slice(0, 120)}`);
    return await process.untilDeath(call(resource, structuredClone(input)));
  }
}

const stepFaults = [
  "workflow: step fails",
  "workflow: step succeeds, response is lost",
  "workflow: timed-out step keeps running during its retry",
  "workflow: step runs twice",
  "workflow: step runs again much later",
] as const;

/** Runs a workflow to completion on a separate worker, without faults. */
export async function runToEnd(worker: Worker, name: WorkflowName): Promise<void> {
  const machine = machines[name];
  const progress = machine.begin({ sweep: "full", customers: "now" });
  await machine.run(progress, (resource, input) => worker.call(resource, input));
}
