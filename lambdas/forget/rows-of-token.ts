import { placeOf } from "../domain/resent.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import { readColumns } from "../lake/read-columns.ts";
import type { ObjectStore } from "../ports.ts";

const columnNames = ["customer_key", "order_id", "shard", "sequence_number", "record_index"];

/** Silver's orders under a customer's token: their ids by the place of the event that they came from. */
export async function rowsOfToken(
  { store, silver }: { store: ObjectStore; silver: DeltaTable },
  token: string,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { files, version } = await silver.snapshot();
  for (const { path } of files.values()) {
    const body = await store.get(`${silver.root}/${path}`);
    if (body === undefined)
      throw new Error(`silver file ${path} is named by version ${version} but is not in the lake`);
    const { customer_key: keys } = await readColumns(body, ["customer_key"]);
    if (!keys!.includes(token)) continue;
    const columns = await readColumns(body, columnNames);
    for (const [row, key] of keys!.entries()) {
      if (key !== token) continue;
      const [shard, sequenceNumber] = [String(columns["shard"]![row]), String(columns["sequence_number"]![row])];
      const recordIndex = Number(columns["record_index"]![row]);
      found.set(placeOf({ shard, sequenceNumber, recordIndex }), String(columns["order_id"]![row]));
    }
  }
  return found;
}
