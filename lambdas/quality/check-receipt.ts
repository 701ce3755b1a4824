import type { Notifier } from "../ports.ts";
import type { Receipt } from "../domain/receipt.ts";

/** The receipt as a step of `data_quality` gives it back. */
export type CheckedReceipt = Receipt & { balanced: boolean };

/** Works out the receipt and tells people where it does not balance; that is no failure of the step. */
export async function checkReceipt({
  verify,
  notifier,
}: {
  verify: () => Promise<Receipt>;
  notifier?: Notifier;
}): Promise<CheckedReceipt> {
  const receipt = await verify();
  const balanced = receipt.findings.length === 0;
  if (!balanced)
    await notifier?.notify({ subject: "Pizza sales: the receipt does not balance", text: textOf(receipt) });
  return { balanced, ...receipt };
}

function textOf({ findings }: Receipt): string {
  const lines = findings.map(
    ({ invariant, sentence, examples }) =>
      `${invariant}: ${sentence}\n${examples.map((example) => `  ${example}`).join("\n")}`,
  );
  return [
    ...lines,
    "",
    "What to do: pizza verify shows the whole receipt; docs/pipeline.md says what each line means.",
  ].join("\n");
}
