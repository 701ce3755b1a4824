import type { Column } from "../silver/columns.ts";
import { addAction, removeAction, transactionAction, type Action, type AddFile, type Metadata } from "./actions.ts";
import { lacksColumns, schemaString } from "./metadata.ts";
import type { Snapshot } from "./snapshot.ts";

/** A change to commit. */
export interface CommitRequest {
  /** The version that the change is based on: it is committed as the next version or not at all. */
  readVersion: number;
  /** Delta's name of the operation: WRITE, MERGE, OPTIMIZE, … */
  operation: string;
  adds: readonly (Omit<AddFile, "modificationTime"> & { modificationTime?: number })[];
  removes: readonly Pick<AddFile, "path">[];
  transactions: readonly { appId: string; version: number; lastUpdated?: number }[];
  operationMetrics: Readonly<Record<string, string | number>>;
  /** False if the table's rows stay the same, so that streaming readers do not treat them as new. */
  dataChange?: boolean;
  userMetadata?: string;
}

/** The table as this program defines it. */
export interface TableShape {
  root: string;
  name: string;
  description: string;
  columns: readonly Column[];
  partitionColumn: string | undefined;
  properties: Readonly<Record<string, string>>;
}

/** Plans the actions of a commit; throws if it removes a file that is not in the table, or adds one that already is. */
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
      throw new Error(`Delta table ${root}: ${path} cannot be removed: it is not in version ${snapshot.version}`);
    return { ...file, deletionTimestamp: now };
  });
  const twice = adds.find(({ path }) => snapshot.files.has(path));
  if (twice !== undefined)
    throw new Error(`Delta table ${root}: ${twice.path} cannot be added: it is already in version ${snapshot.version}`);
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

/** Returns the protocol and metadata for the first commit; later, only new metadata if nullable columns were added. */
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
