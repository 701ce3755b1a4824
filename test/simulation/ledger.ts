import type { DeltaTable } from "../../pipeline/delta/table.ts";
import type { Warehouse } from "../../pipeline/ports.ts";
import { salesOf, type SilverReader, type SilverRow } from "./silver-rows.ts";

interface Window {
  order_date: string;
  silver_version: string;
  order_lines: number;
  revenue_cents: string;
  content_hash: string;
}

const query = "select order_date::text, silver_version, order_lines, revenue_cents, content_hash from ops.windows";

/** Checks gold's ledger after every publish: invariants 6 and 7 during the storm. */
export class LedgerWatch {
  readonly violations: string[] = [];
  private known = new Map<string, Window>();
  private readonly connection: Warehouse;
  private readonly silver: DeltaTable;
  private readonly reader: SilverReader;
  /** The hash of each day's facts, over all histories: equal facts have equal hashes. */
  private readonly hashes: Map<string, string>;

  constructor({ connection, silver, reader, hashes }: LedgerParts) {
    this.connection = connection;
    this.silver = silver;
    this.reader = reader;
    this.hashes = hashes;
  }

  async look(): Promise<void> {
    const windows = await this.connection.query<Window>(query);
    for (const window of windows) await this.compare(window, this.known.get(window.order_date));
    for (const day of this.known.keys()) {
      if (!windows.some((window) => window.order_date === day)) this.violations.push(`7: the ledger has lost ${day}`);
    }
    this.known = new Map(windows.map((window) => [window.order_date, window]));
  }

  private async compare(window: Window, before: Window | undefined): Promise<void> {
    const { order_date: day, content_hash: hash } = window;
    const version = Number(window.silver_version);
    if (before !== undefined && version < Number(before.silver_version)) {
      this.violations.push(`7: ${day} went from version ${before.silver_version} back to ${version}`);
    }
    if (before !== undefined && version === Number(before.silver_version)) {
      if (hash !== before.content_hash) this.violations.push(`7: ${day} changed at version ${version}`);
      return;
    }
    const sales = salesOf(await this.reader.rows(await this.silver.snapshot(version), day));
    const revenue = sales.reduce((sum, row) => sum + row.revenue, 0);
    if (sales.length !== window.order_lines || revenue !== Number(window.revenue_cents)) {
      const shown = `${window.order_lines} lines, ${window.revenue_cents} cents`;
      this.violations.push(`6: ${day} at version ${version} shows ${shown} for ${sales.length}, ${revenue}`);
    }
    const facts = factsOf(day, sales);
    const known = this.hashes.get(facts) ?? hash;
    this.hashes.set(facts, known);
    if (known !== hash) this.violations.push(`7: ${day} has another hash than equal facts had before`);
  }
}

interface LedgerParts {
  connection: Warehouse;
  silver: DeltaTable;
  reader: SilverReader;
  hashes: Map<string, string>;
}

/**
 * Everything that the hash of a day depends on, including line numbers, because an order's first line of a kind is
 * marked.
 */
function factsOf(day: string, sales: readonly SilverRow[]): string {
  const lines = sales.map(({ orderId, lineNo, hour, storeId, channel, customer, pizzaId, quantity }) =>
    [orderId, lineNo, hour, storeId, channel, customer, pizzaId, quantity].join(" "),
  );
  return `${day} ${lines.toSorted().join(";")}`;
}
