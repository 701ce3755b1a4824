import { setImmediate as nextTurn } from "node:timers/promises";
import type { Choices } from "./choices.ts";

/** An external action that an actor waits for: a request to a store, the warehouse or the stream. */
interface Step {
  actor: Actor;
  /** Not before this step number, unless nothing else is left to do. */
  notBefore: number;
  take: () => Promise<void>;
}

/** The actor that requests a step. The steps of a dead actor are never taken and never resolve. */
export interface Actor {
  readonly name: string;
  readonly isAlive: boolean;
  /** It is idle until this step number, unless nothing else is left to do. */
  readonly pausedUntil?: number;
}

/**
 * Owns every asynchronous step of a history: one is taken at a time, in random order. Between two steps the product's
 * code runs until every part of it waits for a step again.
 */
export class Scheduler {
  /** Steps taken so far. */
  taken = 0;
  private waiting: Step[] = [];
  private last = "";
  private readonly choices: Choices;
  private readonly beforeStep: () => void;

  constructor(choices: Choices, beforeStep: () => void) {
    this.choices = choices;
    this.beforeStep = beforeStep;
  }

  /** Runs the action when it is its turn; with `delay`, at least that many steps of others later. */
  step<Value>(actor: Actor, action: () => Value | Promise<Value>, delay = 0): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const take = async () => {
      try {
        const value = await action();
        // An actor that died during this step does not receive its result.
        if (actor.isAlive) resolve(value);
      } catch (error) {
        if (actor.isAlive) reject(error);
      }
    };
    const notBefore = this.taken + delay;
    this.waiting.push({ actor, notBefore, take });
    return promise;
  }

  /** Takes steps until no actor waits for one. */
  async run(): Promise<void> {
    for (;;) {
      // Between two steps the product's code consists only of microtasks, so after this turn all of it waits.
      await nextTurn();
      this.waiting = this.waiting.filter(({ actor }) => actor.isAlive);
      const step = this.next();
      if (step === undefined) return;
      this.waiting.splice(this.waiting.indexOf(step), 1);
      this.last = step.actor.name;
      this.taken++;
      this.beforeStep();
      await step.take();
    }
  }

  /** The simplest choice is to continue with the previous actor. */
  private next(): Step | undefined {
    const due = this.waiting.filter(
      ({ actor, notBefore }) => Math.max(notBefore, actor.pausedUntil ?? 0) <= this.taken,
    );
    const [first, ...others] = due.length > 0 ? due : this.waiting;
    if (first === undefined || others.length === 0) return first;
    const ordered = [first, ...others].toSorted((a, b) => this.isOther(a) - this.isOther(b));
    const chosen = this.choices.below(2 * ordered.length);
    return ordered[chosen < ordered.length ? chosen : 0];
  }

  private isOther({ actor }: Step): number {
    return Number(actor.name !== this.last);
  }
}
