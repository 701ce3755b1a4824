import { utimes, writeFile } from "node:fs/promises";
import type { Notifier } from "../../pipeline/ports.ts";
import type { PipelineStatus } from "../pipeline-api.ts";
import { problemsOf, type Problem } from "../problems.ts";
import type { Log } from "./event-log.ts";

const defaultIntervalMs = 15_000;
/** A minute: a busy machine may take half of one to answer, and nobody is to be paged for that. */
const looksBeforeAlert = 5;

/** Workflows send these alerts with their offenders, so that the supervisor only logs them. */
const alertedElsewhere = new Set(["Receipt", "Quality"]);

/**
 * Watches a running pipeline: touches the heartbeat file, and logs each problem of its status once when it begins and
 * once when it is over. A problem that is more than a matter of attention raises an alert if five looks in a row have
 * found it.
 */
export function startSupervisor({
  status,
  heartbeat,
  notifier,
  log,
  intervalMs = defaultIntervalMs,
}: {
  status: () => Promise<PipelineStatus>;
  /** Path of the heartbeat file. */
  heartbeat: string;
  notifier: Notifier;
  log: Log;
  intervalMs?: number;
}): { stop(): Promise<void> } {
  const lasting = new Map<string, Problem & { looks: number; isAlerted: boolean }>();
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();
  let isStopped = false;
  let beating = false;

  /** Not awaited: a disk that hangs must not keep the supervisor from saying so. */
  function beat(): void {
    if (beating) return;
    beating = true;
    const now = new Date();
    void utimes(heartbeat, now, now)
      .catch(() => writeFile(heartbeat, ""))
      .catch(() => {})
      .finally(() => (beating = false));
  }

  async function look(): Promise<void> {
    beat();
    const found = await status();
    const running = { pid: process.pid, port: 0, startedAt: found.at, state: "running" as const };
    const problems = new Map(problemsOf({ ...found, process: running }).map((problem) => [problem.name, problem]));
    for (const [name, problem] of problems) await note(name, problem);
    for (const [name, { happened, isAlerted }] of lasting) {
      if (problems.has(name)) continue;
      lasting.delete(name);
      log(`over: ${happened}`, { event: "over" });
      if (isAlerted) await notifier.notify({ subject: `Pizza sales: over: ${subjectOf(happened)}`, text: "OK" });
    }
  }

  async function note(name: string, problem: Problem): Promise<void> {
    const known = lasting.get(name);
    const { severity, happened, next } = problem;
    const looks = (known?.looks ?? 0) + 1;
    lasting.set(name, { ...problem, looks, isAlerted: known?.isAlerted ?? false });
    if (known === undefined) {
      log(`${happened} ${next}`, { level: severity === "attention" ? "warning" : "error", event: "problem" });
      return;
    }
    if (looks < looksBeforeAlert) return;
    if (severity === "attention" || known.isAlerted || alertedElsewhere.has(name)) return;
    lasting.get(name)!.isAlerted = true;
    await notifier.notify({ subject: `Pizza sales: ${subjectOf(happened)}`, text: `${happened} What to do: ${next}` });
  }

  function schedule(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      turn = look()
        .catch((error: Error) =>
          log(`the status cannot be read: ${error.message}`, { level: "error", event: "problem" }),
        )
        .then(schedule);
    }, intervalMs);
  }

  beat();
  schedule();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await turn;
    },
  };
}

const mostSubject = 80;

/** The first sentence, as one line of a mail's subject. */
function subjectOf(happened: string): string {
  const [first] = happened.split(/(?<=\.) /);
  return first!.length <= mostSubject ? first! : `${first!.slice(0, mostSubject - 1)}…`;
}
