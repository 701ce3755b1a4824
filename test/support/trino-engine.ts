import type { AthenaEngine } from "./athena-server.ts";

interface TrinoAnswer {
  nextUri?: string;
  columns?: { name: string; type: string }[];
  data?: (string | boolean | null)[][];
  error?: { message: string };
}

/** Trino over its HTTP protocol as Athena's engine, with parameters as literals, as in Athena. */
export function trinoEngine(url: string): AthenaEngine {
  return {
    async run(sql, { database, parameters }) {
      const using = parameters.length > 0 ? ` using ${parameters.join(", ")}` : "";
      const text = `execute immediate '${sql.replaceAll("'", "''")}'${using}`;
      const headers = {
        "x-trino-user": "test",
        "x-trino-catalog": "lake",
        "x-trino-schema": database,
        "x-trino-time-zone": "UTC",
      };
      let answer = await ask(`${url}/v1/statement`, { method: "POST", body: text, headers });
      let columns = answer.columns;
      const rows: NonNullable<TrinoAnswer["data"]> = [];
      while (true) {
        if (answer.error) throw new Error(answer.error.message);
        columns ??= answer.columns;
        rows.push(...(answer.data ?? []));
        if (answer.nextUri === undefined) break;
        answer = await ask(answer.nextUri, { headers });
      }
      return {
        // Athena omits the part in parentheses.
        columns: (columns ?? []).map(({ name, type }) => ({ name, type: type.replace(/\(.*?\)/, "") })),
        rows: rows.map((row) => row.map((value) => (value === null ? null : String(value)))),
      };
    },
  };
}

async function ask(url: string, init: RequestInit): Promise<TrinoAnswer> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`Trino answers ${response.status}: ${await response.text()}`);
  return JSON.parse(await response.text(), keepDigits) as TrinoAnswer;
}

/** Numbers as text, because JavaScript's have only 53 bits. */
function keepDigits(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === "number" ? source : value;
}
