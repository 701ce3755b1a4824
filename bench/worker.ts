import { loadCase, type Runner, type BenchSetting, type Work } from "./case.ts";

/** Request from the parent to a worker, one at a time; each gets one `Answer`. */
export type Request = "warm up" | "round" | "close";

export type Answer =
  | { kind: "ready" | "warm" }
  | { kind: "round"; cpuSeconds: number; wallSeconds: number; work: Work }
  | { kind: "closed"; startMiB: number; peakMiB: number };

// One process per variant, so that memory and compiled code are not shared.
const [name, variant, settingText] = process.argv.slice(2);
const setting: BenchSetting = JSON.parse(settingText!);
const benchmark = await loadCase(name!);

if (variant === "prepare") await benchmark.prepare?.(setting);
else await serve(await benchmark.variants[variant!]!(setting));

async function serve(runner: Runner): Promise<void> {
  globalThis.gc?.();
  const startMiB = process.memoryUsage.rss() / 2 ** 20;
  const answers: Record<Request, () => Promise<Answer>> = {
    async "warm up"() {
      await round(runner);
      return { kind: "warm" };
    },
    round: () => round(runner),
    async close() {
      await runner.close?.();
      return { kind: "closed", startMiB, peakMiB: process.resourceUsage().maxRSS / 1024 };
    },
  };
  process.on("message", (request: Request) => {
    answers[request]()
      .then((answer) => process.send!(answer))
      .then(() => request === "close" && process.disconnect())
      .catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
  });
  process.send!({ kind: "ready" } satisfies Answer);
}

async function round(runner: Runner): Promise<Answer> {
  await runner.before?.();
  globalThis.gc?.();
  const started = performance.now();
  const before = process.cpuUsage();
  const work = await runner.run();
  const { user, system } = process.cpuUsage(before);
  const wallSeconds = (performance.now() - started) / 1000;
  return { kind: "round", cpuSeconds: (user + system) / 1e6, wallSeconds, work };
}
