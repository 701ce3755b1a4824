import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { paint, print, printJson, say, textTable } from "../../bin/output.ts";
import { receiptTable } from "../../bin/receipt-table.ts";
import type { Receipt } from "../../pipeline/domain/receipt.ts";

const title = "\u001b]0;taken over\u0007";
let out = "";
let err = "";
const isTerminal = process.stdout.isTTY;

beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((err += String(text)), true));
  vi.stubEnv("NO_COLOR", undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.stdout.isTTY = isTerminal;
});

it("results and messages show control characters instead of sending them", () => {
  print(`order ${title}`);
  say(`pizza: ${title}\r\u202e`);
  expect({ out, err }).toEqual({
    out: "order \\u001b]0;taken over\\u0007\n",
    err: "pizza: \\u001b]0;taken over\\u0007\\u000d\\u202e\n",
  });
});

it("JSON keeps the text as it is", () => {
  printJson({ text: `${title}\u202e` });
  expect(JSON.parse(out)).toEqual({ text: `${title}\u202e` });
  expect(out).toContain("\u202e");
});

it("colours appear on a terminal, though text from outside cannot set any", () => {
  process.stdout.isTTY = true;
  print(paint("\u001b[32mBALANCED", "red"));
  expect(out).toBe("\u001b[31m\\u001b[32mBALANCED\u001b[0m\n");
});

it("a cell and a column name stay on their line, and columns stay aligned", () => {
  const rows = [{ "na\nme": "a\nBALANCED", size: 1 }, { "na\nme": "\u001b[0m", size: 2 }]; // prettier-ignore
  expect(textTable(rows).split("\n")).toEqual([
    "na\\nme       size",
    "-----------  ----",
    "a\\nBALANCED     1",
    "\\u001b[0m       2",
  ]);
});

it("an example of the receipt cannot add a line to it", () => {
  const none = { orders: 0, lines: 0, pizzas: 0, cents: 0 };
  const examples = ["till\nBALANCED: every order is counted once"];
  const receipt = {
    records: { sent: 0, landed: 0, onFailure: 0, waiting: 0, setAside: 0, transportDuplicates: 0, distinct: 0 },
    events: { distinct: 0, accepted: 0, eventDuplicates: 0, supersededRevisions: 0, quarantined: {}, closed: 0, pending: 0 }, // prettier-ignore
    notSales: 0,
    expected: none,
    silver: none,
    gold: none,
    unpublishedDays: [],
    producers: 1,
    notes: [],
    findings: [{ invariant: "no gap", sentence: "1 tills", examples }],
  } satisfies Receipt;
  expect(
    receiptTable(receipt)
      .split("\n")
      .filter((line) => line.startsWith("BALANCED")),
  ).toEqual([]);
});

describe("a table on a terminal", () => {
  const rows = [
    {
      shard: "shardId-000000000001",
      sequence_number: "49179607659463800001".repeat(3),
      amount: "13.25",
      text: "x".repeat(60),
    },
    { shard: "shardId-000000000000", sequence_number: "1", amount: "1,598.55", text: "short" },
  ];
  const shown = (isTTY: boolean) => {
    const before = process.stdout.isTTY;
    process.stdout.isTTY = isTTY;
    try {
      return textTable(rows).split("\n");
    } finally {
      process.stdout.isTTY = before;
    }
  };

  it("fits 100 columns: long values keep their beginning and end, numbers stay whole", () => {
    const lines = shown(true);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines[2]).toMatch(/^shardId-000000000001 {2}49179607\S*…\S*800001 {5}13\.25 {2}x+…x+$/);
  });

  it("is whole elsewhere", () => {
    expect(shown(false)[2]).toContain(rows[0]!.sequence_number);
  });
});
