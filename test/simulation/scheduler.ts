import { setImmediate as nextTurn } from "node:timers/promises";
import type { Choices } from "./choices.ts";

/** One action on the outside that somebody waits for: a request to a store, to the warehouse, to the stream. */
interface Step {
  actor: Actor;
  /** Not before so many steps were taken, unless nothing else is left to do. */
  notBefore: number;
  take: () => Promise<void>;
}

/** Who asks for a step. The steps of an actor that is no longer alive are never taken and never answered. */
export interface Actor {
  readonly name: string;
  readonly isAlive: boolean;
  /** It does nothing before so many steps were taken, unless nothing else is left to do. */
  readonly pausedUntil?: number;
}

/**
 * Owns every asynchronous step of a history: one is taken at a time, and chance says whose is next. Between two steps
 * the code of the product runs until each of its parts waits for a step again.
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

  /** Takes the action when its turn comes; with `delay`, so many steps of others later. */
  step<Value>(actor: Actor, action: () => Value | Promise<Value>, delay = 0): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const take = async () => {
      try {
        const value = await action();
        // Whoever died in this step does not hear what became of it.
        if (actor.isAlive) resolve(value);
      } catch (error) {
        if (actor.isAlive) reject(error);
      }
    };
    const notBefore = this.taken + delay;
    this.waiting.push({ actor, notBefore, take });
    return promise;
  }

  /** Takes steps until nobody waits for one. */
  async run(): Promise<void> {
    for (;;) {
      // The product's code between two steps is microtasks only, so after this turn all of it waits.
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

  /** The dullest choice is to go on with whoever was last. */
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
