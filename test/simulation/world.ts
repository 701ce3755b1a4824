import type { Choices } from "./choices.ts";
import { Faults } from "./coverage.ts";
import { Scheduler, type Actor } from "./scheduler.ts";

/** When a history begins, milliseconds since 1970; shortly before the hour, so that some landings fall behind it. */
const begin = Date.parse("2015-02-02T09:58:00Z");
const hourMs = 3_600_000;
const fates = ["process: killed before a request is sent", "process: stands still for long, then goes on"] as const;

/** Chance, time and order of one history. */
export class World {
  readonly choices: Choices;
  readonly faults: Faults;
  readonly scheduler: Scheduler;
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

  /** A process about to send a request may die, or stand still as a function does that is not called. True says that it is dead. */
  meetsFate(process: Process): boolean {
    const fate = this.faults.draw(fates, this.faults.rate / 4);
    if (fate === "process: killed before a request is sent") process.die();
    if (fate === "process: stands still for long, then goes on") {
      process.pausedUntil = this.scheduler.taken + 20 + this.choices.below(100);
    }
    return !process.isAlive;
  }

  /** A process may die before it hears what became of its request. */
  mayDie(process: Process): void {
    if (this.faults.draw(["process: killed before the answer comes"], this.faults.rate / 8)) process.die();
  }

  /** Some time passes with every step. */
  private tick(): void {
    this.now += 20;
    const jump = this.faults.draw(["clock: jumps an hour ahead", "clock: steps back"], 1);
    if (jump === "clock: jumps an hour ahead") this.now += hourMs;
    if (jump === "clock: steps back") this.now -= 5000;
  }
}

/** Something that runs code of the product and dies without a word. */
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

  /** What the work gives, or the error that the process died before. */
  async untilDeath<Value>(work: Promise<Value>): Promise<Value> {
    work.catch(() => {});
    return await Promise.race([work, this.death.promise]);
  }
}
