import type { DeltaTable, Snapshot } from "../pipeline/delta/table.ts";
import type { LakeQuery, ObjectStore, Warehouse } from "../pipeline/ports.ts";
import { listQuarantined, type QuarantinedOrder } from "../pipeline/quarantine/list-quarantined.ts";
import { listSetAside } from "../pipeline/silver/set-aside.ts";
import type { QualitySources } from "../pipeline/quality/evaluate-rule.ts";
import { storesSeen, type StoresSeen } from "../pipeline/quality/stores-seen.ts";
import type { Ask } from "./answers.ts";
import type { OpenQuarantine, PipelineStatus } from "./pipeline-api.ts";

/** What the layers of a status are read from, and how an operator knows the parts. */
export interface LayerSources {
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  warehouse: () => Promise<Warehouse>;
  lake: () => Promise<LakeQuery>;
  names: { store: string; warehouse: string; lake: string };
  /** Text of `sql/checks/rejected-events.sql`. */
  quarantinedSql: string;
  /** For the rule about silent stores, which is evaluated for each status; absent where that would cost money. */
  rules?: Pick<QualitySources, "catalog" | "qualitySql">;
}

type LayerStatus = Pick<
  PipelineStatus,
  "setAside" | "silver" | "quarantine" | "gold" | "freshness" | "receipt" | "quality" | "stores"
>;

/** How long a page that asks every second is shown the same open quarantine, although more orders have come. */
const frequentMs = 10_000;
/** Silence also changes while no order comes. */
const storesMs = 60_000;

/** Reads the part of a status that comes from the layers themselves, the same on every target. */
export function createLayerStatus(
  layers: LayerSources,
): (ask: Ask, how: { isFrequent: boolean }) => Promise<LayerStatus> {
  let known: { versions: string; at: number; open: OpenQuarantine } | undefined;
  let seen: { version: number; at: number; stores: StoresSeen } | undefined;

  async function stores(ask: Ask, { snapshot, isFrequent }: { snapshot: Snapshot; isFrequent: boolean }) {
    const { rules, names } = layers;
    const now = Date.now();
    if (
      seen !== undefined &&
      now - seen.at < (seen.version === snapshot.version ? storesMs : isFrequent ? frequentMs : 0)
    )
      return seen.stores;
    const found = await ask(names.lake, "the stores", async (signal) => {
      const [lake, warehouse] = [interruptible(await layers.lake(), signal), await layers.warehouse()];
      return await storesSeen({ ...rules!, lake, warehouse }, { snapshot, now });
    });
    if (found !== undefined) seen = { version: snapshot.version, at: now, stores: found };
    return found ?? null;
  }

  async function openQuarantine(
    ask: Ask,
    { versions, isFrequent }: { versions: string; isFrequent: boolean },
  ): Promise<OpenQuarantine | null> {
    if (known?.versions === versions) return known.open;
    if (isFrequent && known !== undefined && Date.now() - known.at < frequentMs) return known.open;
    const events = await ask(layers.names.lake, "the open quarantine", async (signal) => {
      const { silver, quarantine, quarantinedSql: sql } = layers;
      return await listQuarantined({ silver, quarantine, lake: interruptible(await layers.lake(), signal), sql });
    });
    if (events === undefined) return null;
    known = { versions, at: Date.now(), open: sumOf(events.filter(({ isClosed }) => !isClosed)) };
    return known.open;
  }

  return async (ask, { isFrequent }) => {
    const inWarehouse = <Result>(about: string, read: (warehouse: Warehouse) => Promise<Result>) =>
      ask(layers.names.warehouse, about, async () => await read(await layers.warehouse()));
    const inStore = <Result>(about: string, read: () => Promise<Result>) => ask(layers.names.store, about, read);
    const [tables, gold, fresh, receipt, quality] = await Promise.all([
      inStore("the tables", async () => {
        const [silver, quarantine] = await Promise.all([layers.silver.snapshot(), layers.quarantine.snapshot()]);
        return { silver, quarantine, setAside: await listSetAside(layers.store, silver) };
      }),
      inWarehouse("gold", goldStatus),
      inWarehouse("freshness", freshness),
      inWarehouse("the receipt", receiptStatus),
      inWarehouse("quality", qualityStatus),
    ]);
    return {
      ...(tables === undefined ? { setAside: null, silver: null, quarantine: null } : await tableStatus(tables)),
      gold: gold ?? null,
      freshness: fresh ?? null,
      receipt: receipt ?? null,
      quality: quality ?? null,
    };

    async function tableStatus({ setAside, silver, quarantine }: NonNullable<typeof tables>) {
      const { version, files, partitions } = silver;
      const events = rowsOf(quarantine);
      const versions = `${version} ${quarantine.version}`;
      const [open, found] = await Promise.all([
        events === 0 ? sumOf([]) : openQuarantine(ask, { versions, isFrequent }),
        layers.rules === undefined ? undefined : stores(ask, { snapshot: silver, isFrequent }),
      ]);
      return {
        ...(found !== undefined && { stores: found }),
        setAside,
        silver: { version, files: files.size, lines: rowsOf(silver), days: partitions.size },
        quarantine: { events, open },
      };
    }
  };
}

/** The same lake, whose queries end with a signal. */
function interruptible(lake: LakeQuery, signal: AbortSignal): LakeQuery {
  return { query: (sql, parameters, tables) => lake.query(sql, parameters, tables, { signal }) };
}

function sumOf(open: readonly QuarantinedOrder[]): OpenQuarantine {
  return {
    events: open.length,
    cents: open.reduce((sum, { cents }) => sum + (cents ?? 0), 0),
    unreadable: open.filter(({ cents }) => cents === null).length,
    oldestAt: open[0]?.arrivedAt ?? null,
  };
}

/** Rows in all data files of a version. */
function rowsOf({ files }: Snapshot): number {
  let rows = 0;
  for (const file of files.values()) rows += file.rows;
  return rows;
}

/** What gold shows, and since when. */
export async function goldStatus(warehouse: Warehouse): Promise<NonNullable<PipelineStatus["gold"]>> {
  const [row] = await warehouse.query<Record<string, string | null>>(
    `select
         coalesce(max(silver_version), -1) as silver_version,
         count(*) as windows,
         to_char(max(published_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as published_at,
         (select count(*) from ops.corrections) as corrections
     from ops.windows`,
  );
  return {
    silverVersion: Number(row!["silver_version"]),
    windows: Number(row!["windows"]),
    publishedAt: row!["published_at"] ?? null,
    corrections: Number(row!["corrections"]),
  };
}

/** How long orders took from the till to gold; null before the first. */
async function freshness(warehouse: Warehouse): Promise<PipelineStatus["freshness"]> {
  const [row] = await warehouse.query<Record<string, string | null>>(
    `select
         sum(orders) as orders,
         percentile_cont(0.5) within group (order by median_seconds) as median_seconds,
         max(p95_seconds) as p95_seconds
     from ops.freshness
     where published_at > (select max(published_at) from ops.freshness) - interval '5 minutes'`,
  );
  if (row?.["orders"] == null) return null;
  const round = (text: string | null | undefined) => Math.round(Number(text) * 100) / 100;
  return {
    orders: Number(row["orders"]),
    medianSeconds: round(row["median_seconds"]),
    p95Seconds: round(row["p95_seconds"]),
  };
}

/** The newest receipt that a run of data_quality stored; null before the first. */
async function receiptStatus(warehouse: Warehouse): Promise<PipelineStatus["receipt"]> {
  const [row] = await warehouse.query<{ checked_at: string; balanced: boolean; findings: number }>(
    `select
         to_char(checked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as checked_at,
         balanced,
         findings
     from ops.receipts
     order by run_id desc
     limit 1`,
  );
  if (row === undefined) return null;
  return { checkedAt: row.checked_at, balanced: row.balanced, findings: row.findings };
}

/** What the newest run of data_quality found; null before the first. */
async function qualityStatus(warehouse: Warehouse): Promise<PipelineStatus["quality"]> {
  const rows = await warehouse.query<{ checked_at: string; rule: string; severity: string; is_red: boolean }>(
    `select
         to_char(checked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as checked_at,
         rule,
         severity,
         is_red
     from ops.data_quality_results
     where checked_at = (select max(checked_at) from ops.data_quality_results)
     order by rule`,
  );
  if (rows.length === 0) return null;
  const red = (severity: string) =>
    rows.filter((row) => row.is_red && row.severity === severity).map(({ rule }) => rule);
  return {
    checkedAt: rows[0]!.checked_at,
    rules: rows.length,
    errors: red("error"),
    warnings: red("warning"),
  };
}
