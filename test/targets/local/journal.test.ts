import { expect, it } from "vitest";
import { createJournal } from "../../../targets/local/journal.ts";

function journal() {
  const logged: string[] = [];
  const write = createJournal((text, { level, event } = {}) => logged.push(`${level ?? "info"} ${event} ${text}`));
  return { ...write, logged };
}

it("counts rejected events by reason, the most frequent first", () => {
  const { rejected, logged } = journal();
  rejected(
    new Map([
      ["not_json", 1],
      ["unknown_pizza", 3],
    ]),
  );
  expect(logged).toEqual(["warning rejected rejected 4 events: unknown_pizza 3, not_json 1"]);
});

it("names failed, retried and slow steps, and nothing else of a run", () => {
  const { step, logged } = journal();
  const refine = { state: "Refine silver", milliseconds: 5 };
  step("bronze_to_silver", { ...refine, phase: "entered" });
  step("bronze_to_silver", { ...refine, phase: "failed", error: new Error("could not write x: the disk is full") });
  step("bronze_to_silver", { ...refine, phase: "ended" });
  step("bronze_to_silver", { ...refine, phase: "ended", milliseconds: 12_000 });
  expect(logged).toEqual([
    'error disk_full bronze_to_silver, step "Refine silver" failed, attempt 1: could not write x: the disk is full',
    'info step_retried bronze_to_silver, step "Refine silver" succeeded after 1 failed attempts',
    'warning step_slow bronze_to_silver, step "Refine silver" took 12 s',
  ]);
});

it("names objects set aside, and what the receipt found", () => {
  const { run, logged } = journal();
  const finding = { invariant: "no gap in a till's numbers", sentence: "tills sent events that never arrived" };
  run("bronze_to_silver", { refined: { setAsideObjects: 1 } });
  run("data_quality", { receipt: { balanced: false, findings: [{ ...finding, examples: ["till-1: 7"] }] } });
  run("silver_to_gold", {});
  expect(logged).toEqual([
    "error set_aside bronze_to_silver set 1 bronze objects aside: ./pizza retry shows the reason",
    "error gap the receipt: tills sent events that never arrived: till-1: 7",
  ]);
});

it("names a failed landing by its cause", () => {
  const { landing, logged } = journal();
  const event = { type: "failed", shard: "shard-0", records: 1, attempt: 0 } as const;
  landing({ ...event, error: new Error("the disk is full: free some space") });
  landing({ type: "landed", shard: "shard-0", records: 1, ms: 1 });
  expect(logged).toEqual(["error disk_full landing shard-0: failed: the disk is full: free some space"]);
});
