import { useState } from "preact/hooks";
import { ask, gold, useAnswer } from "../client.ts";
import { count, counted } from "../format.ts";
import { Failure, Loading, Section } from "../parts.tsx";

const first = "select order_date, orders, revenue\nfrom gold.daily_sales_summary\norder by revenue desc\nlimit 20";
const firstOnLake =
  "select order_date, count(*) as lines, sum(quantity) as pizzas\nfrom silver_order_lines\ngroup by order_date\norder by order_date\nlimit 20";
const mostShown = 500;

interface Column {
  table: string;
  name: string;
  type: string;
  comment: string | null;
}

const columnsSql = `select c.table_schema || '.' || c.table_name as table, c.column_name as name, c.data_type as type,
    col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) as comment
  from information_schema.columns as c
  where c.table_schema = 'gold' or (c.table_schema = 'ops' and c.table_name in ('runs', 'windows', 'corrections'))
  order by c.table_schema, c.table_name, c.ordinal_position`;

/** SQL on gold as the reader, or on the lake at a version of silver. */
export function QueryScreen({ params }: { params: URLSearchParams }) {
  const [isLake, setLake] = useState(params.get("lake") === "1");
  const [sql, setSql] = useState(isLake ? firstOnLake : first);
  const [version, setVersion] = useState("");
  const [rows, setRows] = useState<Record<string, unknown>[]>();
  const [error, setError] = useState<Error>();
  const [isRunning, setRunning] = useState(false);
  const run = () => {
    setRunning(true);
    setError(undefined);
    const onLake = { lake: true, ...(version !== "" && { version: Number(version) }) };
    ask("query", { sql, ...(isLake && onLake) })
      .then(setRows, setError)
      .finally(() => setRunning(false));
  };
  const choose = (lake: boolean) => {
    setLake(lake);
    if (sql === first || sql === firstOnLake) setSql(lake ? firstOnLake : first);
  };
  return (
    <div class="split two-a">
      <div>
        <div class="bar">
          <span class="seg" role="group" aria-label="Engine">
            {[false, true].map((lake) => (
              <button key={String(lake)} type="button" aria-pressed={isLake === lake} onClick={() => choose(lake)}>
                {lake ? "Lake" : "Gold"}
              </button>
            ))}
          </span>
          {isLake && (
            <label class="field-box">
              <span class="what">Silver version</span>
              <input
                inputMode="numeric"
                pattern="[0-9]*"
                size={6}
                placeholder="newest"
                value={version}
                onInput={({ currentTarget }) => setVersion(currentTarget.value.replaceAll(/\D/g, ""))}
              />
            </label>
          )}
          <span class="gap dim small">{isLake ? "DuckDB, reads only" : "PostgreSQL, as the reader"}</span>
        </div>
        <textarea
          class="sql"
          aria-label="SQL"
          spellcheck={false}
          value={sql}
          onInput={({ currentTarget }) => setSql(currentTarget.value)}
          onKeyDown={(event) => (event.ctrlKey || event.metaKey) && event.key === "Enter" && run()}
        />
        <div class="bar">
          <button class="btn primary" type="button" disabled={isRunning || sql.trim() === ""} onClick={run}>
            {isRunning ? "Running…" : "Run"}
          </button>
          <span class="dim small">Ctrl Enter runs it; five minutes at most</span>
          <span class="gap" />
          {rows !== undefined && rows.length > 0 && (
            <button class="btn" type="button" onClick={() => saveCsv(rows)}>
              Save as CSV
            </button>
          )}
        </div>
        {error !== undefined && <Failure error={error} />}
        {rows !== undefined && error === undefined && <Result rows={rows} />}
      </div>
      <Columns isLake={isLake} />
    </div>
  );
}

function Result({ rows }: { rows: readonly Record<string, unknown>[] }) {
  const columns = Object.keys(rows[0] ?? {});
  const isNumber = new Map(columns.map((name) => [name, rows.every((row) => /^-?[\d.]+$|^$/.test(show(row[name])))]));
  return (
    <Section
      title={counted(rows.length, "row")}
      note={rows.length > mostShown ? `the first ${count(mostShown)} are shown; the CSV has all` : undefined}
    >
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Result">
          <table class="t">
            <thead>
              <tr>
                {columns.map((name) => (
                  <th key={name} scope="col" class={isNumber.get(name) === true ? "n" : ""}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, mostShown).map((row, index) => (
                <tr key={index}>
                  {columns.map((name) => (
                    <td key={name} class={isNumber.get(name) === true ? "n" : ""}>
                      {row[name] === null ? <span class="dim">null</span> : show(row[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function saveCsv(rows: readonly Record<string, unknown>[]): void {
  const columns = Object.keys(rows[0]!);
  const quote = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = [columns, ...rows.map((row) => columns.map((name) => show(row[name])))];
  const text = lines.map((line) => line.map(quote).join(",")).join("\r\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "result.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The tables that can be asked, with what each column means. */
function Columns({ isLake }: { isLake: boolean }) {
  const { result, error, again } = useAnswer(String(isLake), async () =>
    isLake
      ? ((await ask("query", {
          sql: "select table_name as \"table\", column_name as name, data_type as type, null as comment from information_schema.columns where table_name in ('silver_order_lines', 'quarantine') order by table_name, ordinal_position",
          lake: true,
        })) as unknown as Column[])
      : await gold<Column>(columnsSql),
  );
  return (
    <Section title="Tables" note="open one for its columns">
      {error !== undefined && <Failure error={error} again={again} />}
      {result === undefined && error === undefined && <Loading rows={6} />}
      {[...Map.groupBy(result ?? [], ({ table }) => table)].map(([table, columns]) => (
        <details key={table} class="table-columns">
          <summary class="mono">{table}</summary>
          <dl>
            {columns.map(({ name, type, comment }) => (
              <div key={name}>
                <dt>
                  <span class="mono">{name}</span> <span class="dim">{type}</span>
                </dt>
                {comment !== null && <dd>{comment}</dd>}
              </div>
            ))}
          </dl>
        </details>
      ))}
    </Section>
  );
}
