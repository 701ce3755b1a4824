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
          isSame(there, body)
            ? "delta: writer recognizes its own commit"
            : "delta: another writer commits the version first, run retries",
        );
      return false;
    }
    if (key.endsWith(".checkpoint.parquet")) faults.acted("delta: checkpoint is written");
    objects.set(key, Uint8Array.from(body));
    return true;
  }

  function attempt(key: string, body: Uint8Array, ifAbsent: boolean): PutOutcome {
    const fault = faults.draw(ifAbsent ? conditionalPutFaults : putFaults);
    switch (fault) {
      case undefined:
        return write(key, body, ifAbsent);
      case "store: request fails without effect":
        throw new Error(`store: ${key} is not available`);
      case "store: write succeeds, caller gets an error":
        write(key, body, ifAbsent);
        throw new Error(`store: the answer for ${key} never came`);
      case "store: attempt times out, its write takes effect later":
        landLater(key, body, ifAbsent);
        throw new Error(`store: ${key} timed out`);
      case "store: write succeeds, response is lost; the retry gets 412 for its own write":
      case "store: 200 with an error body, but written":
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
      const fault = faults.draw(["store: request fails without effect", late]);
      if (fault === "store: request fails without effect") throw new Error(`store: ${label} is not available`);
      isLate = fault === late;
      return action();
    });
    if (isLate) await scheduler.step(process, () => {}, 1 + world.choices.below(20));
    return value;
  }

  return {
    get: (key) =>
      read(`get ${key}`, "store: read is delayed", () => {
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
      read(`list ${prefix}`, "store: list is delayed", () => listObjects(objects, prefix, startAfter)),
    async delete(key) {
      await request(`delete ${key}`, () => {
        const fault = faults.draw([
          "store: request fails without effect",
          "store: write succeeds, caller gets an error",
        ]);
        if (fault !== "store: request fails without effect") objects.delete(key);
        if (fault !== undefined) throw new Error(`store: delete of ${key} failed`);
      });
    },
  };
}

const putFaults = [
  "store: request fails without effect",
  "store: write succeeds, caller gets an error",
  "store: attempt times out, its write takes effect later",
] as const;
const conditionalPutFaults = [
  ...putFaults,
  "store: write succeeds, response is lost; the retry gets 412 for its own write",
  "store: 409, concurrent write of the same key",
  "store: 200 with an error body, nothing written",
  "store: 200 with an error body, but written",
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
