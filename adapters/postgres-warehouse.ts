import { Pool, types, type ClientBase, type QueryResult } from "pg";
import { errorCode } from "../pipeline/domain/errors.ts";
import type { TransactionalWarehouse, TransactionKind, Warehouse } from "../pipeline/ports.ts";

type TypeId = Parameters<typeof types.getTypeParser>[0];

const { DATE, TIMESTAMP, TIMESTAMPTZ } = types.builtins;

/** pg's default is a Date in the local time zone, which can shift a day and loses microseconds. */
const parsers = new Map<number, (text: string) => string>([
  [DATE, (text) => text],
  [TIMESTAMP, (text) => text.replace(" ", "T")],
  [TIMESTAMPTZ, (text) => text.replace(" ", "T").replace(/\+00$/, "Z")],
]);

const getTypeParser = (type: TypeId) => parsers.get(type) ?? types.getTypeParser(type, "text");

/** Start statement of each kind of transaction. */
const beginnings: Record<TransactionKind, string> = {
  snapshot: "begin isolation level repeatable read read only",
  write: "begin",
  trial: "begin",
};

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "EHOSTUNREACH", "ECONNRESET", "57P03"]);

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`. */
  connectionString: string;
  /** Makes every transaction read-only, whatever the login's privileges. */
  readOnly?: boolean;
  /** Maximum number of connections; they are opened on demand. */
  max?: number;
}

/**
 * A PostgreSQL server as the warehouse. Numerics and 64-bit integers are returned as strings, dates as `YYYY-MM-DD`,
 * timestamps as ISO 8601 in UTC, JSON parsed.
 */
export function openPostgresWarehouse({
  connectionString,
  readOnly = false,
  max = 4,
}: PostgresOptions): TransactionalWarehouse & { close(): Promise<void> } {
  const pool = new Pool({
    connectionString,
    max,
    types: { getTypeParser },
    // Without `readOnly`, the login's own setting applies.
    options: `-c timezone=UTC -c datestyle=ISO${readOnly ? " -c default_transaction_read_only=on" : ""}`,
    application_name: "pizza",
  });
  // A broken idle connection is replaced at the next query; without a listener its error would end the process.
  pool.on("error", () => {});
  const over = (runner: Pool | ClientBase): Warehouse => ({
    query: async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> => {
      try {
        // Several statements in one text give several results, which pg's types omit: the last one is returned.
        const result: QueryResult | QueryResult[] = await runner.query(sql, [...parameters]);
        return [result].flat().at(-1)!.rows as Row[];
      } catch (cause) {
        throw explain(cause, connectionString);
      }
    },
  });
  return {
    ...over(pool),
    async transaction(kind, use) {
      const client = await pool.connect().catch((cause: unknown) => {
        throw explain(cause, connectionString);
      });
      // A broken connection also rejects the pending query; without a listener the event would end the process.
      const ignore = () => {};
      client.on("error", ignore);
      let error: Error | undefined;
      try {
        await client.query(beginnings[kind]);
        const result = await use(over(client));
        await client.query(kind === "trial" ? "rollback" : "commit");
        return result;
      } catch (cause) {
        // A connection that cannot roll back is removed from the pool.
        await client.query("rollback").catch((broken: Error) => (error = broken));
        throw cause;
      } finally {
        client.off("error", ignore);
        client.release(error);
      }
    },
    close: () => pool.end(),
  };
}

function explain(cause: unknown, connectionString: string): unknown {
  if (!unreachable.has(errorCode(cause))) return cause;
  const { host } = new URL(connectionString);
  return new Error(`PostgreSQL at ${host} does not answer: check that it is running (./pizza status) and try again`, {
    cause,
  });
}
