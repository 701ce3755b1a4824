import type { Choices } from "./choices.ts";
import { Faults } from "./coverage.ts";
import { Scheduler, type Actor } from "./scheduler.ts";

/** The start of a history, milliseconds since 1970; shortly before the hour, so that some landings are after it. */
const begin = Date.parse("2015-02-02T09:58:00Z");
const hourMs = 3_600_000;
const fates = ["process: killed before a request is sent", "process: pauses for a long time, then continues"] as const;

/** The randomness, clock and scheduler of one history. */
export class World {
  readonly choices: Choices;
  readonly faults: Faults;
  readonly scheduler: Scheduler;
  /** The key of an object that ends every process that reads it. */
  poison: string | undefined;
  private now = begin;
  private processes = 0;

  constructor(choices: Choices, isTraced: boolean) {
    this.choices = choices;
    this.faults = new Faults(choices, isTraced);
    this.scheduler = new Scheduler(choices, () => this.tick());
  }

  /** Milliseconds since 1970. */
  readonly clock = (): number => this.now;

  /** A process that may die; `kind` is part of its name. */
  process(kind: string): Process {
    return new Process(`${kind} ${++this.processes}`);
  }

  /** A process may die before it sends a request, or pause like a function that is not invoked. True if it is dead. */
  meetsFate(process: Process): boolean {
    const fate = this.faults.draw(fates, this.faults.rate / 4);
    if (fate === "process: killed before a request is sent") process.die();
    if (fate === "process: pauses for a long time, then continues") {
      process.pausedUntil = this.scheduler.taken + 20 + this.choices.below(100);
    }
    return !process.isAlive;
  }

  /** A process may die before it receives its response. */
  mayDie(process: Process): void {
    if (this.faults.draw(["process: killed before the response arrives"], this.faults.rate / 8)) process.die();
  }

  /** Nothing happens for some milliseconds. */
  wait(milliseconds: number): void {
    this.now += milliseconds;
  }

  /** Time passes with every step. */
  private tick(): void {
    this.now += 20;
    const jump = this.faults.draw(["clock: jumps an hour forward", "clock: goes backwards"], 1);
    if (jump === "clock: jumps an hour forward") this.now += hourMs;
    if (jump === "clock: goes backwards") this.now -= 5000;
  }
}

/** A process that runs the product's code and can die at any time. */
export class Process implements Actor {
  readonly name: string;
  isAlive = true;
  pausedUntil = 0;
  private readonly death = Promise.withResolvers<never>();

  constructor(name: string) {
    this.name = name;
    this.death.promise.catch(() => {});
  }

  die(): void {
    this.isAlive = false;
    this.death.reject(new Error(`${this.name} died`));
  }

  /** The result of the work, or an error if the process died first. */
  async untilDeath<Value>(work: Promise<Value>): Promise<Value> {
    work.catch(() => {});
    return await Promise.race([work, this.death.promise]);
  }
}
