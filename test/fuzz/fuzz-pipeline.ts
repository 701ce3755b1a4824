import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { Receipt } from "../../pipeline/domain/receipt.ts";
import { openQuarantine, openSilver, quarantineLakeTable, silverLakeTable } from "../../pipeline/silver/tables.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { checkOutcome, type SentRecord } from "./check-outcome.ts";
import { makeRecords, type FuzzRecord } from "./make-records.ts";

/** Limits of one put. */
const [mostRecords, mostBytes] = [400, 2 * 1024 * 1024];
/** Records between two waits for the pipeline, so that no call takes longer than a client waits. */
const recordsPerDrain = 4000;

/** What a fuzz found. */
export interface FuzzResult {
  records: number;
  events: number;
  unpackedBytes: number;
  /** A sentence for each difference; none if every event is where it must be. */
  problems: string[];
  sent: readonly SentRecord[];
}

/** Sends the records of a seed through a local pipeline, and checks where each of their events went. */
export async function fuzzPipeline(
  pipeline: Pipeline,
  {
    dir,
    seed,
    records,
    onProgress = () => {},
  }: { dir: string; seed: number; records: number; onProgress?: (sent: number) => void },
): Promise<FuzzResult> {
  const sent: SentRecord[] = [];
  let parcel: FuzzRecord[] = [];
  let bytes = 0;
  const put = async () => {
    for (const [n, place] of (await putAll(pipeline, parcel)).entries()) sent.push(withPlace(parcel[n]!, place));
    [parcel, bytes] = [[], 0];
    onProgress(sent.length);
  };
  let drained = 0;
  for (const record of makeRecords(seed, records)) {
    if (parcel.length === mostRecords || bytes + record.data.length > mostBytes) await put();
    parcel.push(record);
    bytes += record.data.length;
    if (sent.length - drained < recordsPerDrain) continue;
    await pipeline.drain();
    drained = sent.length;
  }
  await put();
  await pipeline.drain();
  const receipt = await pipeline.verify();
  const problems = [...receiptProblems(receipt, sent), ...(await lakeProblems(dir, sent))];
  const unpackedBytes = sent.reduce((sum, record) => sum + record.unpackedBytes, 0);
  return { records: sent.length, events: receipt.events.distinct, unpackedBytes, problems, sent };
}

function withPlace(
  { kind, valid, rejected, shown, allOrNone, isAltered, unpackedBytes }: FuzzRecord,
  position: string,
) {
  return { kind, valid, rejected, shown, allOrNone, isAltered, unpackedBytes, position };
}

/** Puts records into the stream; returns the place of each. */
async function putAll({ sink }: Pipeline, records: readonly FuzzRecord[]): Promise<string[]> {
  if (records.length === 0) return [];
  const outgoing = records.map(({ data }, n) => ({ partitionKey: `key-${n % 7}`, data }));
  return (await sink.putRecords(outgoing)).map((answer) => {
    if ("sequenceNumber" in answer) return `${answer.shard}/${answer.sequenceNumber}`;
    throw new Error(`the stream did not take a record: ${answer.errorMessage}`);
  });
}

function receiptProblems({ records, events, findings }: Receipt, sent: readonly SentRecord[]): string[] {
  const { distinct, accepted, eventDuplicates, supersededRevisions, quarantined, pending } = events;
  const rejected = Object.values(quarantined).reduce((sum, count) => sum + count, 0);
  const known = sent.every((record) => record.rejected !== undefined)
    ? sent.reduce((sum, record) => sum + record.valid.length + record.rejected!, 0)
    : distinct;
  return [
    ...findings.map(
      ({ invariant, sentence, examples }) => `receipt: ${invariant}: ${sentence}: ${examples.join(", ")}`,
    ),
    ...(records.distinct === sent.length ? [] : [`receipt: ${records.distinct} records of ${sent.length}`]),
    ...(distinct === accepted + eventDuplicates + supersededRevisions + rejected && pending === 0
      ? []
      : [`receipt: ${distinct} events are not those in their places`]),
    ...(known === distinct ? [] : [`receipt: ${distinct} events, and ${known} were sent`]),
  ];
}

/** Compares the records with the lake, whose files it reads itself. */
export async function lakeProblems(dir: string, sent: readonly SentRecord[]): Promise<string[]> {
  const root = dataDirectory(dir).lake;
  const [store, clock] = [openFolderStore(root), Date.now];
  const silver = silverLakeTable(await openSilver({ store, clock }).snapshot());
  const quarantine = quarantineLakeTable(await openQuarantine({ store, clock }).snapshot());
  const lake = await openDuckDbLake({ root, memoryLimit: "2GB" });
  try {
    return await checkOutcome(sent, { lake, silver, quarantine });
  } finally {
    await lake.close();
  }
}
