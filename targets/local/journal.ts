import { errorMessage } from "../../pipeline/domain/errors.ts";
import type { Finding } from "../../pipeline/domain/receipt.ts";
import type { Log } from "./event-log.ts";
import type { MappingEvent } from "./event-source-mapping/mapping.ts";
import type { Step } from "./workflow-runner.ts";

/** A step that takes longer is slow. */
const slowMs = 10_000;
const gap = "no gap in a till's numbers";

/** Writes to the log what an operator wants to know of landing and of the workflows; all else is silent. */
export function createJournal(log: Log) {
  const failures = new Map<string, number>();
  return {
    landing: (event: MappingEvent): void => {
      if (event.type === "checkpointDamaged") {
        const result = "its shard is delivered again from the start, and no order counts twice";
        log(`${event.path} is damaged: ${result}`, { level: "warning", event: "checkpoint_damaged" });
      }
      if (event.type === "sentToOnFailure") {
        const text = `${event.records} records of ${event.shard} are in the on-failure destination (${event.condition})`;
        log(text, { level: "error", event: "given_up" });
      }
      if (!("error" in event)) return;
      const message = errorMessage(event.error);
      log(`landing ${event.shard}: ${event.type}: ${message}`, { level: "error", event: writeFailure(message) });
    },

    /** The number of events that a run of bronze_to_silver rejected, by reason. */
    rejected: (reasons: ReadonlyMap<string, number>): void => {
      const events = [...reasons.values()].reduce((sum, count) => sum + count, 0);
      const each = [...reasons].toSorted(([, a], [, b]) => b - a).map(([reason, count]) => `${reason} ${count}`);
      log(`rejected ${events} events: ${each.join(", ")}`, { level: "warning", event: "rejected" });
    },

    step: (workflow: string, { state, phase, milliseconds, error }: Step): void => {
      const name = `${workflow}, step "${state}"`;
      if (phase === "failed") {
        const attempt = (failures.get(name) ?? 0) + 1;
        failures.set(name, attempt);
        const message = errorMessage(error);
        const about = { level: "error", event: writeFailure(message, "step_failed") } as const;
        log(`${name} failed, attempt ${attempt}: ${message}`, about);
      }
      if (phase !== "ended") return;
      const seconds = Math.round(milliseconds / 1000);
      if (milliseconds > slowMs) log(`${name} took ${seconds} s`, { level: "warning", event: "step_slow" });
      const attempts = failures.get(name);
      if (attempts !== undefined) log(`${name} succeeded after ${attempts} failed attempts`, { event: "step_retried" });
      failures.delete(name);
    },

    run: (workflow: string, output: Record<string, unknown>): void => {
      const { refined, receipt } = output as {
        refined?: { setAsideObjects?: number };
        receipt?: { balanced?: boolean; findings?: Finding[] };
      };
      const setAside = refined?.setAsideObjects ?? 0;
      if (setAside > 0) {
        const text = `${workflow} set ${setAside} bronze objects aside: ./pizza retry shows the reason`;
        log(text, { level: "error", event: "set_aside" });
      }
      for (const { invariant, sentence, examples } of receipt?.findings ?? []) {
        const text = `the receipt: ${sentence}: ${examples.slice(0, 3).join("; ")}`;
        log(text, { level: "error", event: invariant === gap ? "gap" : "finding" });
      }
      if (receipt?.balanced === true) log("the receipt balances", { event: "receipt" });
    },
  };
}

/** The kind of a failed write: a full disk is found by its name. */
function writeFailure(message: string, otherwise = "write_failed"): string {
  return message.includes("the disk is full") ? "disk_full" : otherwise;
}
