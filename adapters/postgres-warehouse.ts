import { Pool, types, type ClientBase, type QueryResult } from "pg";
import type { TransactionalWarehouse, TransactionKind, Warehouse } from "../pipeline/ports.ts";
import { errorCode } from "../pipeline/domain/errors.ts";

type TypeId = Parameters<typeof types.getTypeParser>[0];

const { DATE, TIMESTAMP, TIMESTAMPTZ } = types.builtins;

/** pg's own choice is a Date in the machine's time zone: a day may become the day before, and microseconds are lost. */
const parsers = new Map<number, (text: string) => string>([
  [DATE, (text) => text],
  [TIMESTAMP, (text) => text.replace(" ", "T")],
  [TIMESTAMPTZ, (text) => text.replace(" ", "T").replace(/\+00$/, "Z")],
]);

const getTypeParser = (type: TypeId) => parsers.get(type) ?? types.getTypeParser(type, "text");

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`. */
  connectionString: string;
  /** Every transaction only reads, whatever the login may do. */
  readOnly?: boolean;
  /** Connections at most; they are opened when first needed. */
  max?: number;
}

/**
 * A PostgreSQL server as the warehouse. Numerics and 64-bit integers come back as strings, dates as `YYYY-MM-DD`,
 * timestamps as ISO 8601 in UTC, JSON as what it holds.
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
    // Where nothing is said, what the login's own settings say stands.
    options: `-c timezone=UTC -c datestyle=ISO${readOnly ? " -c default_transaction_read_only=on" : ""}`,
    application_name: "pizza",
  });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on("error", () => {});
  const over = (runner: Pool | ClientBase): Warehouse => ({
    query: async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> => {
      try {
        // Several statements in one text have several results, which pg's types do not say: the last one is the answer.
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
      // Whoever waits for a query hears of a connection that breaks; without a listener it would end the process too.
      const ignore = () => {};
      client.on("error", ignore);
      let error: Error | undefined;
      try {
        await client.query(beginnings[kind]);
        const result = await use(over(client));
        await client.query(kind === "trial" ? "rollback" : "commit");
        return result;
      } catch (cause) {
        // A connection that cannot even roll back is given up.
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

/** How each kind of transaction begins. */
const beginnings: Record<TransactionKind, string> = {
  snapshot: "begin isolation level repeatable read read only",
  write: "begin",
  trial: "begin",
};

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "EHOSTUNREACH", "ECONNRESET", "57P03"]);

function explain(cause: unknown, connectionString: string): unknown {
  if (!unreachable.has(errorCode(cause))) return cause;
  const { host } = new URL(connectionString);
  return new Error(`PostgreSQL at ${host} does not answer: see that it runs (./pizza status) and try again`, { cause });
}
