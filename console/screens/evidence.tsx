import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, askConfirmed, useAnswer } from "../client.ts";
import { clock, count, moment, tail } from "../format.ts";
import { cellHref, showKey, goldKeys } from "../gold.ts";
import { Coin, Confirmed, Copy, Failure, Icon, Loading } from "../parts.tsx";

interface LineOfEvidence {
  order_id: string;
  line_no: number;
  order_date: string;
  store_id: string;
  shard: string;
  sequence_number: string;
  record_index: number;
}

/** A gold cell that the line counts in. */
interface Row {
  table: string;
  key: string[];
  column: string;
  value: string;
}

/** The chain of one order line: gold, silver, bronze, stream, and the bytes that the till sent. */
export function Evidence({ line, share, row }: { line: LineOfEvidence; share: string; row: Row }) {
  const { order_id, line_no, shard, sequence_number, record_index } = line;
  const key = `${order_id} ${line.order_date} ${line.store_id}`;
  const { result, error, again } = useAnswer(key, () => ask("trace", { orderId: order_id }));
  const trace = result?.find(({ orderDate, storeId }) => orderDate === line.order_date && storeId === line.store_id);
  const event = trace?.events.find(
    (each) => each.shard === shard && each.sequenceNumber === sequence_number && each.recordIndex === record_index,
  );
  return (
    <>
      <div class="sec-head">
        <h2>
          Where line {line_no} of {order_id} comes from
        </h2>
      </div>
      {error !== undefined && <Failure error={error} again={again} />}
      {trace === undefined || event === undefined ? (
        error === undefined && <Loading rows={9} />
      ) : (
        <ol class="chain">
          <Link node={<Coin metal="gold" />} title="Gold shows it" aside={row.value}>
            <Fact name="Row">
              <a class="door" href={cellHref(row.table, row.key, row.column)}>
                {row.table}, {row.key.map((part, index) => showKey(goldKeys[row.table]![index]!, part)).join(", ")}
              </a>
            </Fact>
            {trace.window !== null && (
              <Fact name="Published">
                {moment(Date.parse(trace.window.publishedAt))}, from silver version {trace.window.silverVersion}
              </Fact>
            )}
          </Link>
          <Link node={<Coin metal="silver" />} title="Silver holds the line" aside={share}>
            <Fact name="Order">
              <a class="door" href={`/console/order?id=${encodeURIComponent(order_id)}`}>
                {order_id}
              </a>
              , line {line_no}, revision {trace.silver?.revision}, {trace.silver?.status}
            </Fact>
            {trace.silver !== null && <Fact name="File" text={trace.silver.file} />}
            {event.committedAt !== null && (
              <Fact name="Since">
                version {event.silverVersion}, {moment(Date.parse(event.committedAt))}
              </Fact>
            )}
          </Link>
          <Link node={<Coin metal="bronze" />} title="Bronze keeps the record">
            {event.bronzeKeys.map((bronzeKey) => (
              <Fact key={bronzeKey} name="Object" text={bronzeKey} />
            ))}
          </Link>
          <Link node={<Icon name="stream" />} title="The stream took it" aside={clock(Date.parse(event.arrivedAt))}>
            <Fact name="Shard">{Number(shard.replace(/\D/g, ""))}</Fact>
            <Fact name="Sequence no.">
              <span class="mono" title={sequence_number}>
                {tail(sequence_number, 18)}
              </span>
            </Fact>
          </Link>
          <Bytes
            key={`${sequence_number} ${record_index}`}
            place={{
              bronzeKey: event.bronzeKeys[0]!,
              shard,
              sequenceNumber: sequence_number,
              recordIndex: record_index,
            }}
            lineNo={line_no}
          />
        </ol>
      )}
    </>
  );
}

function Link({
  node,
  title,
  aside,
  children,
}: {
  node: ComponentChildren;
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <li>
      <span class="node">{node}</span>
      <h3>
        {title} {aside !== undefined && <span class="gap dim">{aside}</span>}
      </h3>
      <dl class="kv">{children}</dl>
    </li>
  );
}

function Fact({ name, text, children }: { name: string; text?: string; children?: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      {text === undefined ? (
        <dd>{children}</dd>
      ) : (
        <dd class="mono" title={text}>
          {tail(text.split("/").at(-1)!, 32)}
        </dd>
      )}
    </>
  );
}

type Place = Parameters<typeof readBytes>[0];

async function readBytes(
  place: { bronzeKey: string; shard: string; sequenceNumber: string; recordIndex: number },
  isPersonal: boolean,
) {
  const found = await (isPersonal ? askConfirmed("personalEvent", place) : ask("event", place));
  return { ...found, raw: Uint8Array.from(atob(found.bytes), (char) => char.charCodeAt(0)) };
}

/** The bytes of an event as the till sent them, personal values masked until somebody asks; `lineNo` is marked. */
export function Bytes({ place, lineNo }: { place: Place; lineNo?: number }) {
  const [isPersonal, setPersonal] = useState(false);
  const key = JSON.stringify([place, isPersonal]);
  const { result, error, again } = useAnswer(key, () => readBytes(place, isPersonal));
  return (
    <li>
      <span class="node">
        <Icon name="till" />
      </span>
      <h3>The till sent these bytes</h3>
      {error !== undefined && <Failure error={error} again={again} />}
      {result === undefined ? (
        error === undefined && <Loading rows={6} />
      ) : (
        <>
          <dl class="kv">
            <Fact name="Event">
              no. {place.recordIndex + 1} of {count(result.recordEvents)} in a record of {count(result.recordBytes)}{" "}
              bytes
            </Fact>
            <Fact name="Length">
              {count(result.length)} bytes{lineNo !== undefined && `; marked is line ${lineNo}`}
            </Fact>
          </dl>
          <Hex raw={result.raw} {...(lineNo !== undefined && { lineNo })} />
          <div class="btns under">
            <Copy text={new TextDecoder().decode(result.raw)} label="Copy the text" />
            {!isPersonal && (
              <Confirmed
                label="Show personal data"
                question="Show it, and log that it was shown"
                act={async () => setPersonal(true)}
              />
            )}
          </div>
          {!isPersonal && <p class="cap">Personal values are replaced by x, as many as they are long.</p>}
        </>
      )}
    </li>
  );
}

const width = 8;

function Hex({ raw, lineNo }: { raw: Uint8Array; lineNo?: number }) {
  const box = useRef<HTMLPreElement>(null);
  const [start, end] = markOf(raw, lineNo);
  useEffect(() => {
    const mark = box.current?.querySelector("mark");
    if (box.current !== null && mark) box.current.scrollTop = mark.offsetTop - box.current.offsetTop - 48;
  }, [raw, lineNo]);
  const rows = Array.from({ length: Math.ceil(raw.length / width) }, (_, row) => row * width);
  return (
    <pre ref={box} class="hex" tabIndex={0} role="region" aria-label="Bytes of the event">
      {rows.map((from) => {
        const part = raw.subarray(from, from + width);
        const marked = [
          Math.min(Math.max(start - from, 0), part.length),
          Math.min(Math.max(end - from, 0), part.length),
        ];
        const hex = (some: Uint8Array) => Array.from(some, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
        const text = (some: Uint8Array) =>
          Array.from(some, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
        const three = (show: (some: Uint8Array) => string, gap: string) => {
          const [before, inside, after] = [
            part.subarray(0, marked[0]),
            part.subarray(marked[0], marked[1]),
            part.subarray(marked[1]),
          ];
          return (
            <>
              {show(before)}
              {before.length > 0 && inside.length > 0 && gap}
              {inside.length > 0 && <mark>{show(inside)}</mark>}
              {before.length + inside.length > 0 && after.length > 0 && gap}
              {show(after)}
            </>
          );
        };
        return (
          <span key={from}>
            {from.toString(16).padStart(4, "0")}
            {"  "}
            {three(hex, " ")}
            {"   ".repeat(width - part.length)}
            {"  "}
            <b>{three(text, "")}</b>
            {"\n"}
          </span>
        );
      })}
    </pre>
  );
}

/** Where an order line is in the bytes of its event; nowhere if they are not its JSON. */
function markOf(raw: Uint8Array, lineNo: number | undefined): [number, number] {
  if (lineNo === undefined) return [0, 0];
  const text = Array.from(raw, (byte) => String.fromCharCode(byte)).join("");
  const found = new RegExp(`\\{[^{}]*"line_no"\\s*:\\s*${lineNo}\\s*[,}][^{}]*\\}?`).exec(text);
  return found === null ? [0, 0] : [found.index, found.index + found[0].length];
}
