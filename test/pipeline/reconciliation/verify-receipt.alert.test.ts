import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../pipeline/domain/receipt.ts";
import { alertReceipt } from "../../../pipeline/reconciliation/verify-receipt.ts";

const sales = { orders: 1, lines: 1, pizzas: 1, cents: 1325 };
const receipt: Receipt = {
  records: { sent: 1, landed: 1, onFailure: 0, waiting: 0, setAside: 0, transportDuplicates: 0, distinct: 1 },
  events: {
    distinct: 1,
    accepted: 1,
    eventDuplicates: 0,
    supersededRevisions: 0,
    quarantined: {},
    closed: 0,
    pending: 0,
  },
  notSales: 0,
  expected: sales,
  silver: sales,
  gold: sales,
  unpublishedDays: [],
  notes: [],
  producers: 1,
  findings: [],
};
const finding = { invariant: "sent = landed", sentence: "records are missing", examples: ["shard-0/49001"] };

function inbox() {
  const messages: { subject: string; text: string }[] = [];
  return { messages, notify: async (message: { subject: string; text: string }) => void messages.push(message) };
}

describe("the verify step of a workflow", () => {
  it("sends no alert if the receipt balances", async () => {
    const notifier = inbox();
    expect(await alertReceipt({ verify: async () => receipt, notifier })).toEqual({ balanced: true, ...receipt });
    expect(notifier.messages).toEqual([]);
  });

  it("sends an alert with every finding, and does not fail, if the receipt does not balance", async () => {
    const notifier = inbox();
    const checked = await alertReceipt({ verify: async () => ({ ...receipt, findings: [finding] }), notifier });
    expect(checked.balanced).toBe(false);
    expect(notifier.messages).toHaveLength(1);
    for (const part of [finding.invariant, finding.sentence, ...finding.examples]) {
      expect(notifier.messages[0]!.text).toContain(part);
    }
  });

  it("fails if the alert cannot be sent", async () => {
    const notifier = { notify: async () => Promise.reject(new Error("no such topic")) };
    const verify = async () => ({ ...receipt, findings: [finding] });
    await expect(alertReceipt({ verify, notifier })).rejects.toThrow("no such topic");
  });
});
