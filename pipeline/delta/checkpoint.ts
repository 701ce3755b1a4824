import { parquetReadObjects, type SchemaElement } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { parquetWrite } from "hyparquet-writer/src/write.js";
import { compressZstd, decompressors } from "../parquet/encoding.ts";
import type { ObjectStore } from "../ports.ts";
import { addAction, removeAction, transactionAction, type Action } from "./actions.ts";
import { checkpointKey, lastCheckpointKey } from "./log.ts";
import { durationMs } from "./metadata.ts";
import { type Snapshot, applyActions, emptySnapshot } from "./snapshot.ts";

const text = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
const long = { type: "INT64" } as const;
const int = { type: "INT32" } as const;
const boolean = { type: "BOOLEAN" } as const;
/** A checkpoint holds the whole table, so a large table is due only once this share of it is new. */
const newShare = 0.1;
/** After this many intervals, a checkpoint is due in any case. */
const longestWait = 10;

type Leaf = typeof text | typeof long | typeof int | typeof boolean;
type Shape = Leaf | "map" | "list" | { [field: string]: Shape };

/** The columns of a checkpoint: one struct per kind of action; each row fills one of them. */
const shapes: Record<string, { [field: string]: Shape }> = {
  txn: { appId: text, version: long, lastUpdated: long },
  add: { path: text, partitionValues: "map", size: long, modificationTime: long, dataChange: boolean, stats: text },
  remove: {
    path: text,
    deletionTimestamp: long,
    dataChange: boolean,
    extendedFileMetadata: boolean,
    partitionValues: "map",
    size: long,
  },
  metaData: {
    id: text,
    name: text,
    description: text,
    format: { provider: text, options: "map" },
    schemaString: text,
    partitionColumns: "list",
    configuration: "map",
    createdTime: long,
  },
  protocol: { minReaderVersion: int, minWriterVersion: int },
};

/** Returns a snapshot's actions without the expired ones: tombstones and transactions older than their cutoffs. */
function checkpointActions(
  { protocol, metadata, transactions, files, removed }: Snapshot,
  { removedBefore, transactionsBefore }: { removedBefore: number; transactionsBefore: number },
): Action[] {
  const column = metadata?.partitionColumns[0];
  const live = [...transactions].filter(
    ([, { lastUpdated }]) => lastUpdated === 0 || lastUpdated >= transactionsBefore,
  );
  const kept = [...removed.values()].filter(({ deletionTimestamp }) => deletionTimestamp >= removedBefore);
  return [
    { ...(protocol && { protocol }) },
    { ...(metadata && { metaData: metadata }) },
    ...live.map(([appId, transaction]) => transactionAction(appId, transaction)),
    ...kept.map((file) => removeAction(file, column, false)),
    ...[...files.values()].map((file) => addAction(file, column, false)),
  ];
}

/** Encodes actions as a checkpoint file. */
async function encodeCheckpoint(actions: readonly Action[]): Promise<Uint8Array> {
  const out = new ByteWriter(1 << 16);
  await parquetWrite({
    writer: out,
    schema: [
      { name: "root", num_children: Object.keys(shapes).length },
      ...Object.entries(shapes).flatMap(([name, shape]) => elementsOf(name, shape)),
    ],
    columnData: Object.keys(shapes).map((name) => ({ name, data: actions.map((action) => toRow(action, name)) })),
    codec: "ZSTD",
    compressors: { ZSTD: compressZstd },
    statistics: false,
    rowGroupSize: actions.length,
  });
  return out.getBytes();
}

/** Decodes the actions of a checkpoint file, written by this program or by another Delta writer. */
export async function decodeCheckpoint(body: Uint8Array): Promise<Action[]> {
  const { buffer } = new Uint8Array(body);
  const rows = await parquetReadObjects({
    file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) },
    columns: Object.keys(shapes),
    compressors: decompressors,
  });
  return rows.map((row): Action => plainFields(row));
}

function elementsOf(name: string, shape: Shape): SchemaElement[] {
  const optional = { name, repetition_type: "OPTIONAL" } as const;
  if (shape === "map") {
    return [
      { ...optional, converted_type: "MAP", num_children: 1 },
      { name: "key_value", repetition_type: "REPEATED", num_children: 2 },
      { name: "key", repetition_type: "REQUIRED", ...text },
      { name: "value", repetition_type: "OPTIONAL", ...text },
    ];
  }
  if (shape === "list") {
    return [
      { ...optional, converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "OPTIONAL", ...text },
    ];
  }
  if (isLeaf(shape)) return [{ ...optional, ...shape }];
  const fields = Object.entries(shape);
  return [
    { ...optional, num_children: fields.length },
    ...fields.flatMap(([field, inner]) => elementsOf(field, inner)),
  ];
}

function isLeaf(shape: Exclude<Shape, string>): shape is Leaf {
  return typeof shape["type"] === "string";
}

/** Returns the part of an action for one column, with 64-bit fields as bigint. */
function toRow(action: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = action[name];
  if (typeof value !== "object" || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  return Object.fromEntries(
    Object.entries(shapes[name]!).map(([field, shape]) => [
      field,
      shape === long ? toLong(fields.get(field)) : fields.get(field),
    ]),
  );
}

function toLong(value: unknown): bigint | undefined {
  return typeof value === "number" ? BigInt(value) : undefined;
}

/** Returns a row without nulls, and with its 64-bit fields (sizes and times) as numbers. */
function plainFields(value: object): Record<string, unknown> {
  const fields = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(fields.map(([name, inner]) => [name, plain(inner)]));
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null ? plainFields(value) : value;
}

/** Whether the log has grown enough since its newest checkpoint to write another one. */
export function isCheckpointDue(
  { files, transactions, removed }: Snapshot,
  { commits, actions }: { commits: number; actions: number },
  every: number,
): boolean {
  const enough = (files.size + transactions.size + removed.size) * newShare;
  return commits >= every && (actions >= enough || commits >= every * longestWait);
}

/** Writes a checkpoint and returns the snapshot that it contains, without expired tombstones and transactions. */
export async function writeCheckpoint(
  { store, root }: { store: ObjectStore; root: string },
  snapshot: Snapshot,
  now: number,
): Promise<Snapshot> {
  const configuration = snapshot.metadata?.configuration ?? {};
  const actions = checkpointActions(snapshot, {
    removedBefore: now - durationMs(configuration, "delta.deletedFileRetentionDuration"),
    transactionsBefore: now - durationMs(configuration, "delta.setTransactionRetentionDuration"),
  });
  await store.put(checkpointKey(root, snapshot.version), await encodeCheckpoint(actions), { ifAbsent: true });
  const hint = { version: snapshot.version, size: actions.length };
  await store.put(lastCheckpointKey(root), Buffer.from(JSON.stringify(hint)));
  return applyActions(emptySnapshot, snapshot.version, actions);
}
