import { readColumns } from "../../pipeline/parquet/read-columns.ts";
import type { Snapshot } from "../../pipeline/delta/table.ts";
import type { Objects } from "./bucket.ts";

/** The columns of a silver line that gold and the invariants need. */
export interface SilverRow {
  orderId: string;
  lineNo: number;
  revision: number;
  status: string;
  orderedAt: number;
  hour: number;
  storeId: string;
  city: string;
  channel: string;
  customer: string | null;
  pizzaId: string;
  type: string;
  category: string;
  size: string;
  quantity: number;
  revenue: number;
  cost: number;
  /** `shard/sequence number/index`. */
  position: string;
  date: string;
}

const names = [
  "order_id",
  "line_no",
  "revision",
  "status",
  "ordered_at",
  "order_hour",
  "store_id",
  "city",
  "channel",
  "customer_key",
  "pizza_id",
  "pizza_type_id",
  "category",
  "size",
  "quantity",
  "revenue_cents",
  "cost_cents",
  "shard",
  "sequence_number",
  "record_index",
];

/** Reads silver's data files of one history, each only once. */
export class SilverReader {
  private readonly files = new Map<string, Promise<SilverRow[]>>();
  private readonly objects: Objects;

  constructor(objects: Objects) {
    this.objects = objects;
  }

  /** All rows of a version, or those of one day. */
  async rows({ files, partitions }: Snapshot, day?: string): Promise<SilverRow[]> {
    const wanted = day === undefined ? [...files.values()] : (partitions.get(day) ?? []);
    const parts = await Promise.all(wanted.map(({ path, partition }) => this.file(path, partition!)));
    return parts.flat();
  }

  private async file(path: string, date: string): Promise<SilverRow[]> {
    const known = this.files.get(path) ?? this.read(path, date);
    this.files.set(path, known);
    return await known;
  }

  private async read(path: string, date: string): Promise<SilverRow[]> {
    const body = this.objects.get(`silver/order_lines/${path}`);
    if (body === undefined) throw new Error(`silver names ${path}, which is not in the lake`);
    const columns = await readColumns(body, names);
    return columns["order_id"]!.map((_, row) => {
      const cell = (name: string) => columns[name]![row] as never;
      return {
        orderId: cell("order_id"),
        lineNo: cell("line_no"),
        revision: cell("revision"),
        status: cell("status"),
        orderedAt: Number(cell("ordered_at")),
        hour: cell("order_hour"),
        storeId: cell("store_id"),
        city: cell("city"),
        channel: cell("channel"),
        customer: cell("customer_key"),
        pizzaId: cell("pizza_id"),
        type: cell("pizza_type_id"),
        category: cell("category"),
        size: cell("size"),
        quantity: cell("quantity"),
        revenue: cell("revenue_cents"),
        cost: cell("cost_cents"),
        position: [cell("shard"), cell("sequence_number"), cell("record_index")].join("/"),
        date,
      };
    });
  }
}

/** The lines of orders that are sales. */
export function salesOf(rows: readonly SilverRow[]): SilverRow[] {
  return rows.filter(({ status }) => status === "placed" || status === "amended");
}
