import type { Column } from "../silver/columns.ts";
import { addAction, removeAction, transactionAction, type Action, type AddFile, type Metadata } from "./actions.ts";
import { lacksColumns, schemaString } from "./metadata.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a commit asks for. */
export interface CommitRequest {
  /** The version that the decision was made on: the commit becomes the next one, or nothing. */
  readVersion: number;
  /** What is done, in Delta's terms: WRITE, MERGE, OPTIMIZE, … */
  operation: string;
  adds: readonly (Omit<AddFile, "modificationTime"> & { modificationTime?: number })[];
  removes: readonly Pick<AddFile, "path">[];
  transactions: readonly { appId: string; version: number; lastUpdated?: number }[];
  operationMetrics: Readonly<Record<string, string | number>>;
  /** False where the rows stay the same, so that nobody takes them for new ones. */
  dataChange?: boolean;
  userMetadata?: string;
}

/** What a table is, as its program says. */
export interface TableShape {
  root: string;
  name: string;
  description: string;
  columns: readonly Column[];
  partitionColumn: string | undefined;
  properties: Readonly<Record<string, string>>;
}

/** The lines of a commit; throws where it removes a file that the table does not have or adds one that it has. */
export function planCommit(
  snapshot: Snapshot,
  request: CommitRequest,
  { shape, now, id, newId }: { shape: TableShape; now: number; id: string; newId: () => string },
): Action[] {
  const { adds, removes, transactions, dataChange = true } = request;
  const { partitionColumn, root } = shape;
  const removed = removes.map(({ path }) => {
    const file = snapshot.files.get(path);
    if (file === undefined)
      throw new Error(`Delta table ${root}: ${path} cannot be removed, version ${snapshot.version} does not have it`);
    return { ...file, deletionTimestamp: now };
  });
  const twice = adds.find(({ path }) => snapshot.files.has(path));
  if (twice !== undefined)
    throw new Error(`Delta table ${root}: ${twice.path} cannot be added, version ${snapshot.version} has it already`);
  return [
    commitInfo(request, now, id),
    ...tableActions(snapshot, { shape, now, newId }),
    ...transactions.map(({ appId, version, lastUpdated = 0 }) => transactionAction(appId, { version, lastUpdated })),
    ...removed.map((file) => removeAction(file, partitionColumn, dataChange)),
    ...adds.map((file) => addAction({ modificationTime: now, ...file }, partitionColumn, dataChange)),
  ];
}

function commitInfo(
  { operation, operationMetrics, userMetadata, readVersion, removes }: CommitRequest,
  now: number,
  id: string,
): Action {
  return {
    commitInfo: {
      timestamp: now,
      operation,
      operationParameters: {},
      operationMetrics: Object.fromEntries(
        Object.entries(operationMetrics).map(([name, value]) => [name, String(value)]),
      ),
      ...(readVersion >= 0 && { readVersion }),
      isolationLevel: "Serializable",
      isBlindAppend: operation === "WRITE" && removes.length === 0,
      engineInfo: "pizza-sales-streaming-pipeline",
      txnId: id,
      ...(userMetadata !== undefined && { userMetadata }),
    },
  };
}

/** The first commit says what the table is; a later one only where nullable columns have come to it. */
function tableActions(
  snapshot: Snapshot,
  { shape, now, newId }: { shape: TableShape; now: number; newId: () => string },
): Action[] {
  const { metadata } = snapshot;
  if (metadata === undefined) {
    return [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, { metaData: newMetadata(shape, newId(), now) }];
  }
  if (!lacksColumns(metadata, shape)) return [];
  return [{ metaData: { ...metadata, schemaString: schemaString(shape.columns, shape.partitionColumn) } }];
}

function newMetadata(shape: TableShape, id: string, createdTime: number): Metadata {
  const { name, description, columns, partitionColumn, properties } = shape;
  return {
    id,
    name,
    description,
    format: { provider: "parquet", options: {} },
    schemaString: schemaString(columns, partitionColumn),
    partitionColumns: partitionColumn === undefined ? [] : [partitionColumn],
    configuration: { ...properties },
    createdTime,
  };
}
