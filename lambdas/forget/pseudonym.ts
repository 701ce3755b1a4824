import { randomUUID } from "node:crypto";
import type { Eraser, ObjectStore } from "../ports.ts";

/** The name under which a customer is forgotten, kept only until that is done: a repeat after a crash goes on with it. */
export interface Pseudonym {
  value: string;
  /** Whether an earlier run has begun. */
  isResumed: boolean;
}

/** Draws a pseudonym, or takes the one of a run that did not come to its end. `token` stands for the customer. */
export async function takePseudonym(store: ObjectStore, token: string): Promise<Pseudonym> {
  const drawn = `forgotten-${randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const isNew = await store.put(keyOf(token), Buffer.from(JSON.stringify({ pseudonym: drawn })), { ifAbsent: true });
  if (isNew) return { value: drawn, isResumed: false };
  const known = await store.get(keyOf(token));
  if (known === undefined) return await takePseudonym(store, token);
  const { pseudonym } = JSON.parse(Buffer.from(known).toString()) as { pseudonym: string };
  return { value: pseudonym, isResumed: true };
}

/** From here on nothing leads from the customer to the pseudonym. */
export async function dropPseudonym(eraser: Eraser, token: string): Promise<void> {
  await eraser.erase(keyOf(token));
}

function keyOf(token: string): string {
  return `forgetting/${token}.json`;
}
