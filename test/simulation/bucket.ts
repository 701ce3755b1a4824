import type { ObjectInfo, ObjectStore } from "../../pipeline/ports.ts";
import type { FaultKind } from "./coverage.ts";
import type { Process, World } from "./world.ts";

/** The contents of a bucket: its guarantees hold, but its responses do not always arrive. */
export type Objects = Map<string, Uint8Array>;

const mostAttempts = 5;
/** A late write happens at most this many steps later. */
const latest = 80;

type PutOutcome = boolean | "again";

/**
 * A bucket as one process sees it through the adapter: 409, an error body and a lost response are retried, as by the
 * adapter and the SDK; everything else is an error.
 */
export function openBucket(world: World, objects: Objects, process: Process): ObjectStore {
  const { faults, scheduler } = world;

  /** One request, before or after which its process may die. */
  async function request<Value>(label: string, action: () => Value): Promise<Value> {
    return await scheduler.step(process, () => {
      if (world.meetsFate(process)) return undefined as Value;
      faults.note(`${process.name}: ${label}`);
      try {
        return action();
      } finally {
        world.mayDie(process);
      }
    });
  }

  function write(key: string, body: Uint8Array, ifAbsent: boolean): boolean {
    const there = ifAbsent ? objects.get(key) : undefined;
    if (there !== undefined) {
      if (isCommit(key))
        faults.acted(
          isSame(there, body) ? "delta: own commit recognised" : "delta: version taken by another, decided again",
        );
      return false;
    }
    if (key.endsWith(".checkpoint.parquet")) faults.acted("delta: checkpoint written");
    objects.set(key, Uint8Array.from(body));
    return true;
  }

  function attempt(key: string, body: Uint8Array, ifAbsent: boolean): PutOutcome {
    const fault = faults.draw(ifAbsent ? conditionalPutFaults : putFaults);
    switch (fault) {
      case undefined:
        return write(key, body, ifAbsent);
      case "store: request fails, nothing done":
        throw new Error(`store: ${key} is not available`);
      case "store: written, and the caller hears an error":
        write(key, body, ifAbsent);
        throw new Error(`store: the answer for ${key} never came`);
      case "store: attempt times out, its write lands later":
        landLater(key, body, ifAbsent);
        throw new Error(`store: ${key} timed out`);
      case "store: answer lost, written; the repeat gets 412 for one's own write":
      case "store: 200 with an error body, written all the same":
        write(key, body, ifAbsent);
        return "again";
      default:
        return "again";
    }
  }

  function landLater(key: string, body: Uint8Array, ifAbsent: boolean): void {
    const delay = 1 + world.choices.below(latest);
    const late = { name: "a late write", isAlive: true };
    void scheduler.step(late, () => faults.note(`late write of ${key}: ${write(key, body, ifAbsent)}`), delay);
  }

  /** The bucket responds immediately, but others may act before the response arrives. */
  async function read<Value>(label: string, late: FaultKind, action: () => Value): Promise<Value> {
    let isLate = false;
    const value = await request(label, () => {
      const fault = faults.draw(["store: request fails, nothing done", late]);
      if (fault === "store: request fails, nothing done") throw new Error(`store: ${label} is not available`);
      isLate = fault === late;
      return action();
    });
    if (isLate) await scheduler.step(process, () => {}, 1 + world.choices.below(20));
    return value;
  }

  return {
    get: (key) =>
      read(`get ${key}`, "store: read is answered late", () => {
        if (key === world.poison) process.die();
        return objects.get(key);
      }),
    async put(key, body, { ifAbsent = false } = {}) {
      for (let tries = 1; tries <= mostAttempts; tries++) {
        const outcome = await request(`put ${key}`, () => attempt(key, body, ifAbsent));
        if (outcome !== "again") return outcome;
      }
      throw new Error(`store: ${key} could not be written`);
    },
    list: (prefix, { startAfter = "" } = {}) =>
      read(`list ${prefix}`, "store: list is answered late", () => listObjects(objects, prefix, startAfter)),
    async delete(key) {
      await request(`delete ${key}`, () => {
        const fault = faults.draw([
          "store: request fails, nothing done",
          "store: written, and the caller hears an error",
        ]);
        if (fault !== "store: request fails, nothing done") objects.delete(key);
        if (fault !== undefined) throw new Error(`store: delete of ${key} failed`);
      });
    },
  };
}

const putFaults = [
  "store: request fails, nothing done",
  "store: written, and the caller hears an error",
  "store: attempt times out, its write lands later",
] as const;
const conditionalPutFaults = [
  ...putFaults,
  "store: answer lost, written; the repeat gets 412 for one's own write",
  "store: 409, another write of the key was under way",
  "store: 200 with an error body, nothing written",
  "store: 200 with an error body, written all the same",
] as const;

function isCommit(key: string): boolean {
  return /_delta_log\/\d+\.json$/.test(key);
}

/** A commit contains a unique name. */
function isSame(there: Uint8Array, body: Uint8Array): boolean {
  return Buffer.compare(there, body) === 0;
}

function listObjects(objects: Objects, prefix: string, startAfter: string): ObjectInfo[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter);
  return keys.toSorted().map((key) => ({ key, size: objects.get(key)!.length }));
}
