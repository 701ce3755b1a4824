import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import { openReceiptPipeline, type ReceiptPipeline } from "./receipt-fixture.ts";

/**
 * Opens one database for the tests of a file, and an empty pipeline on it for each test. `use` gets both before the
 * test; `current` names the pipeline to close afterwards, for a test that replaces the one that it got.
 */
export function openForEachTest(
  use: (opened: { gold: GoldPipeline; pipeline: ReceiptPipeline }) => unknown,
  current?: () => ReceiptPipeline,
): void {
  let gold: GoldPipeline;
  let pipeline: ReceiptPipeline;
  beforeAll(async () => {
    gold = await openGoldPipeline();
  });
  afterAll(() => gold.close());
  beforeEach(async () => {
    pipeline = await openReceiptPipeline(gold);
    use({ gold, pipeline });
  });
  afterEach(() => (current?.() ?? pipeline).close());
}
