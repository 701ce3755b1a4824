import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { decodeBronze } from "../../../pipeline/bronze/bronze-object.ts";
import { readColumns } from "../../../pipeline/parquet/read-columns.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";

/** Returns all data of a local pipeline, unpacked: files of the stream and the lake, and the rows in PostgreSQL. */
export async function everything(pipeline: ReceiptPipeline): Promise<string> {
  const texts: string[] = [];
  for (const name of readdirSync(pipeline.dir, { recursive: true, encoding: "utf8" })) {
    const path = join(pipeline.dir, name);
    if (!/\.(parquet|json|log)$/.test(name)) continue;
    const bytes = readFileSync(path);
    texts.push(bytes.toString("latin1"));
    if (!name.endsWith("parquet") || name.includes("_delta_log")) continue;
    if (name.includes("bronze")) for (const record of await decodeBronze(bytes)) texts.push(plain(record.data));
    else if (name.includes("order_lines")) texts.push(await column(bytes, "customer_key"));
    else for (const key of ["payload", "payload_base64", "detail", "order_id"]) texts.push(await column(bytes, key));
  }
  for (const record of await pipeline.streamRecords()) texts.push(plain(record.data));
  for (const table of ["gold.customer_segments", "facts.customer_days", "ops.corrections", "ops.windows"]) {
    texts.push(JSON.stringify(await pipeline.owner.query(`select * from ${table}`)));
  }
  return texts.join("\n");
}

async function column(bytes: Uint8Array, name: string): Promise<string> {
  return (await readColumns(bytes, [name]))[name]!.join("\n");
}

/** Unpacks a record or a bronze object. */
export function plain(data: Uint8Array): string {
  if (data[0] === 0x28) return zstdDecompressSync(data).toString("latin1");
  return (data[0] === 0x1f ? gunzipSync(data) : Buffer.from(data)).toString("latin1");
}
