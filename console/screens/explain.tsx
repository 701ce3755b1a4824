import { useAnswer, ask } from "../client.ts";
import { centsOf, count, counted, dollars, money, tail, words } from "../format.ts";
import { cellHref, goldKeys, readCatalog, readSum, shortPizza, showCell, showKey } from "../gold.ts";
import { Failure, Glyph, Loading, Section, State } from "../parts.tsx";
import { addressWith, go } from "../route.ts";
import { Evidence } from "./evidence.tsx";

type Explanation = Awaited<ReturnType<typeof explain>>;
type Line = Explanation["lines"][number];

const firstLines = 100;

/** Why a number of gold is what it is: its order lines down to the bytes, or the rows of gold that it adds up. */
export function ExplainScreen({ params }: { params: URLSearchParams }) {
  return params.has("key") ? <Cell params={params} /> : <Sum params={params} />;
}

async function explain(params: URLSearchParams) {
  const [explanation, catalog] = await Promise.all([
    ask("explain", {
      table: params.get("table") ?? "",
      key: params.getAll("key"),
      column: params.get("column") ?? "revenue",
      lines: Number(params.get("lines") ?? firstLines),
    }),
    readCatalog(),
  ]);
  const lines = explanation.lines.toSorted((a, b) =>
    a.order_id === b.order_id ? a.line_no - b.line_no : a.order_id < b.order_id ? -1 : 1,
  );
  return { ...explanation, lines, catalog };
}

function Cell({ params }: { params: URLSearchParams }) {
  const question = new URLSearchParams(params);
  question.delete("line");
  const { result, error, again } = useAnswer(question.toString(), () => explain(params));
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading rows={12} />;
  return <Explained explanation={result} params={params} />;
}

function Explained({ explanation, params }: { explanation: Explanation; params: URLSearchParams }) {
  const { key, lines, lineCount, listed, catalog } = explanation;
  const cell = explanation.cells[0]!;
  const table = explanation.table.replace("gold.", "");
  const term = listed[0];
  const chosen = Math.min(Math.max(0, Number(params.get("line") ?? 0)), lines.length - 1);
  const line = lines[chosen];
  const choose = (index: number) => go(addressWith(params, { line: String(index) }), { isReplacing: true });
  const orders = new Set(lines.map(({ order_id, store_id, order_date }) => `${order_date} ${store_id} ${order_id}`));
  return (
    <div class="explain-grid">
      <div>
        <div class="answer">
          <div class="sumline">
            <span>
              {words(cell.column)},{" "}
              {Object.entries(key)
                .map(([column, value]) => showKey(column, value))
                .join(", ")}
            </span>
          </div>
          <div class="num">{showCell(cell.column, cell.gold)}</div>
          <div class="sumline">
            <State mood={cell.equal ? "ok" : "bad"}>
              {cell.equal
                ? "the order lines make the same number"
                : `the order lines make ${showCell(cell.column, cell.explained)}`}
            </State>
            <span class="dim" aria-hidden="true">
              ·
            </span>
            <span>
              {counted(lineCount, "line")}
              {lineCount === lines.length && ` of ${counted(orders.size, "order")}`}, {cell.formula}
            </span>
          </div>
        </div>
        {cell.terms.length > 1 && <Terms terms={cell.terms} />}
        {term !== undefined && lines.length > 0 && (
          <Section
            title="The sum"
            note="each block is an order line, as wide as its share; shades change with the order"
          >
            <Strip lines={lines} term={term} chosen={chosen} choose={choose} />
          </Section>
        )}
        <section class="sec" aria-label="Order lines">
          <div class="scroll" tabIndex={0} role="region" aria-label="Order lines">
            <table class="t dense-2">
              <thead>
                <tr>
                  <th scope="col">Order</th>
                  <th scope="col" class="n">
                    Line
                  </th>
                  <th scope="col">Pizza</th>
                  <th scope="col">Store</th>
                  <th scope="col" class="hide-n">
                    Shard · record · event
                  </th>
                  <th scope="col" class="n">
                    {term === undefined || isMoney(lines, term) ? "US dollars" : words(term)}
                  </th>
                </tr>
              </thead>
              <tbody>
                {lines.map((each, index) => {
                  const isFirst = lines[index - 1]?.order_id !== each.order_id;
                  const pizza = catalog.pizzas.get(each.pizza_id);
                  return (
                    <tr key={`${each.store_id} ${each.order_id} ${each.line_no}`} aria-selected={index === chosen}>
                      <td class="mono">
                        {isFirst ? (
                          <a class="door" href={`/console/order?id=${encodeURIComponent(each.order_id)}`}>
                            {each.order_id.length > 18 ? tail(each.order_id, 14) : each.order_id}
                          </a>
                        ) : (
                          <span class="hidden">{each.order_id}</span>
                        )}
                      </td>
                      <td class="n dim">{each.line_no}</td>
                      <td>
                        <button class="row-door" type="button" onClick={() => choose(index)}>
                          {each.quantity > 1 && <b>{each.quantity} × </b>}
                          {pizza === undefined ? each.pizza_id : `${shortPizza(pizza.name)}, ${pizza.size}`}
                        </button>
                      </td>
                      <td class="mid">{catalog.stores.get(each.store_id)?.city ?? each.store_id}</td>
                      <td class="mono dim nowrap hide-n">
                        {Number(each.shard.replace(/\D/g, ""))} · {tail(each.sequence_number)} · {each.record_index}
                      </td>
                      <td class="n strong">{share(each, term)}</td>
                    </tr>
                  );
                })}
                {lineCount > lines.length && (
                  <tr>
                    <td colSpan={5}>
                      <a
                        class="link"
                        href={addressWith(params, { lines: String(Math.min(lineCount, lines.length + 400)) })}
                      >
                        {counted(lineCount - lines.length, "more line")}: show{" "}
                        {count(Math.min(400, lineCount - lines.length))}
                      </a>
                    </td>
                    <td />
                  </tr>
                )}
              </tbody>
              <tfoot>
                <tr class="sumrow">
                  <td colSpan={4}>Gold shows {showCell(cell.column, cell.gold)}; all lines make</td>
                  <td class="hide-n" />
                  <td class="n">{showCell(cell.column, cell.explained)}</td>
                </tr>
              </tfoot>
            </table>
          </div>
        </section>
      </div>
      <aside aria-label="Where the line comes from">
        {line === undefined ? (
          <p class="what-s">No order line makes this number.</p>
        ) : (
          <Evidence
            line={line}
            share={share(line, term)}
            row={{ table, key: Object.values(key), column: cell.column, value: showCell(cell.column, cell.gold) }}
          />
        )}
      </aside>
    </div>
  );
}

function isMoney(lines: readonly Line[], term: string): boolean {
  return lines.some(({ shares }) => shares[term]?.includes(".") === true);
}

function share({ shares }: Line, term: string | undefined): string {
  const value = term === undefined ? null : (shares[term] ?? null);
  if (value === null) return "—";
  return value.includes(".") ? money(centsOf(value)) : value;
}

function Terms({ terms }: { terms: Explanation["cells"][number]["terms"] }) {
  return (
    <Section title="The terms" note="what the formula is made from">
      <table class="t">
        <thead>
          <tr>
            <th scope="col">Term</th>
            <th scope="col" class="n">
              Order lines
            </th>
            <th scope="col" class="n">
              Value
            </th>
          </tr>
        </thead>
        <tbody>
          {terms.map(({ name, orderLines, value }) => (
            <tr key={name}>
              <td>{name}</td>
              <td class="n dim">{count(orderLines)}</td>
              <td class="n">{value ?? "—"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** The order lines side by side, each as wide as its share; arrow keys move the choice. */
function Strip({
  lines,
  term,
  chosen,
  choose,
}: {
  lines: readonly Line[];
  term: string;
  chosen: number;
  choose: (index: number) => void;
}) {
  const values = lines.map(({ shares }) => Math.max(0, Number(shares[term] ?? 0)));
  const total = values.reduce((sum, value) => sum + value, 0) || 1;
  let at = 0;
  let shade = 0;
  const blocks = lines.map((line, index) => {
    if (index > 0 && lines[index - 1]!.order_id !== line.order_id) shade = 1 - shade;
    const block = { x: at, width: (1000 * values[index]!) / total, shade };
    at += block.width;
    return block;
  });
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    choose(Math.min(lines.length - 1, Math.max(0, chosen + step)));
  };
  const line = lines[chosen]!;
  return (
    <svg
      class="chart strip"
      height="40"
      viewBox="0 0 1000 40"
      preserveAspectRatio="none"
      tabIndex={0}
      role="slider"
      aria-label="Order line"
      aria-valuemin={1}
      aria-valuemax={lines.length}
      aria-valuenow={chosen + 1}
      aria-valuetext={`line ${line.line_no} of order ${line.order_id}, ${share(line, term)}`}
      onKeyDown={move}
    >
      {blocks.map(({ x, width, shade: which }, index) => (
        <rect
          key={index}
          class={index === chosen ? "b-sub" : which === 0 ? "h2" : "h3"}
          x={x}
          y={index === chosen ? 2 : 6}
          width={Math.max(0.5, width - (width > 6 ? 1.5 : 0))}
          height={index === chosen ? 32 : 24}
          onClick={() => choose(index)}
        />
      ))}
    </svg>
  );
}

/** A sum over rows of gold: each row leads to its own order lines. */
function Sum({ params }: { params: URLSearchParams }) {
  const { result, error, again } = useAnswer(params.toString(), () => readSum(params));
  const table = params.get("table") ?? "";
  const column = params.get("column") ?? "";
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading rows={12} />;
  const keys = goldKeys[table]!;
  const added = result.rows.reduce((sum, { value }) => sum + centsOf(value), 0);
  const isWhole = result.rows.length === result.rowCount;
  const isSame = added === centsOf(result.total);
  const conditions = ["hour", "weekday", "store_id", "channel", "pizza_type_id", "size", "state", "city"]
    .filter((name) => params.has(name))
    .map((name) => showKey(name, params.get(name)!));
  return (
    <>
      <div class="answer">
        <div class="sumline">
          {[
            words(column),
            `${showKey(keys[0]!, params.get("from") ?? "")} to ${showKey(keys[0]!, params.get("to") ?? "")}`,
            ...conditions,
          ].join(", ")}
        </div>
        <div class="num">{showCell(column, result.total)}</div>
        <div class="sumline">
          {isWhole ? (
            <State mood={isSame ? "ok" : "bad"}>
              {counted(result.rowCount, "row")} of gold.{table} {isSame ? "make" : "do not make"} this number
            </State>
          ) : (
            <span>
              the first {count(result.rows.length)} of {counted(result.rowCount, "row")} of gold.{table}
            </span>
          )}
        </div>
      </div>
      <Section title="Rows of gold" note="each opens to its order lines">
        <table class="t">
          <thead>
            <tr>
              {keys.map((name) => (
                <th key={name} scope="col">
                  {words(name)}
                </th>
              ))}
              <th scope="col" class="n">
                {words(column)}
              </th>
            </tr>
          </thead>
          <tbody>
            {result.rows.map(({ key, value }) => (
              <tr key={key.join(" ")}>
                {key.map((part, index) => (
                  <td key={keys[index]}>{showKey(keys[index]!, part)}</td>
                ))}
                <td class="n">
                  <a class="door" href={cellHref(table, key, column)}>
                    {showCell(column, value)}
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
          {isWhole && (
            <tfoot>
              <tr class="sumrow">
                <td colSpan={keys.length}>
                  <span class="st">
                    <Glyph mood={isSame ? "ok" : "bad"} /> {counted(result.rowCount, "row")}
                  </span>
                </td>
                <td class="n">{isMoneyTotal(column) ? dollars(added) : count(added / 100)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      </Section>
    </>
  );
}

function isMoneyTotal(column: string): boolean {
  return ["revenue", "cost", "margin"].includes(column);
}
