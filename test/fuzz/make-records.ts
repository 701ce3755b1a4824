import { constants, brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { limits } from "../../pipeline/domain/rejection-reasons.ts";
import { createChoice, createRandom, type Random } from "../../producer/random.ts";
import { aggregate } from "../pipeline/silver/aggregated.ts";
import { createOrderTexts, type FuzzEvent, type OrderTexts, type Timed } from "./order-texts.ts";

/** A record of the fuzz, and what must become of it. */
export interface FuzzRecord {
  kind: string;
  data: Buffer;
  /** The valid events that are certain to be read. */
  valid: FuzzEvent[];
  /** How many rows the quarantine must have of it, without lost conflicts; undefined if at least one event is in it. */
  rejected: number | undefined;
  /** Orders that must be in silver or in the quarantined bytes, because the record still shows them. */
  shown?: string[] | undefined;
  /** Orders that are all in silver, or none of them and then a row in the quarantine. */
  allOrNone?: string[] | undefined;
  /** Whether damage may have made other valid orders. */
  isAltered?: boolean | undefined;
  /** Bytes that it unpacks to, at most. */
  unpackedBytes: number;
}

type Made = Omit<FuzzRecord, "kind" | "unpackedBytes"> & { unpackedBytes?: number };

const recordBytes = 1024 * 1024;
const nbsp = "\u00a0";
const bom = "\ufeff";
const recordSeparator = "\u001e";
/** How text that begins no event may be repeated up to the largest record. */
const repeated = [
  "{",
  "[",
  '"',
  "\\",
  ",",
  ":",
  "{}",
  "[]",
  "[{}",
  '{"a":',
  "[[",
  "]}",
  "0",
  "\0",
  "\u001e",
  "\n",
  "\r\n",
  " ",
  nbsp,
  bom,
  "\u2028",
  "\u{1f355}",
  '{"order_id":"',
  '{"order_id":"a"',
  '{"order_id":"a"}',
  '{"order_id":"a"},',
  '"order_id":"a",',
  '\\"order_id\\":\\"a\\",',
  '{"order_id":"a","lines":[',
  '"producer_id":"till-unread","seq":1,',
  '"producer_id":"till-unread",',
  '"store_id":"nyc-01","ordered_at":"2015-02-03T12:00:00Z",',
  '"quantity":1,"unit_price":1,',
  '{"quantity":1,',
  "\ud800",
  "\u0000{",
  '{"\\u0061":1,',
  "1e",
  "-",
  "null,",
  '{"":',
  "\u001f\u008b",
  "\x1e{",
];
const emptyEvents = ["{}", "[]", "0", "x", "{", "}", '"', "[0]"];

/** What must be left for a record that costs more than its share: it unpacks to 16 MiB at most. */
const leastForLarge = 20_000_000;

/** What a record costs at most; the budget is for all of them. */
export const bytesPerRecord = 20_000;

/**
 * Makes random records from a seed: valid orders in every framing and codec, events and records that must be rejected,
 * damaged text, and texts that try to take too long. They unpack to at most 2 GB, or to `bytesPerRecord` each on average.
 */
export function* makeRecords(seed: number, count: number): Generator<FuzzRecord> {
  const random = createRandom("fuzz", seed);
  const texts = createOrderTexts(random);
  const budget = { bytes: Math.min(2e9, count * bytesPerRecord), longRows: 1 };
  const memory: (FuzzEvent & Timed)[] = [];
  const sent: FuzzRecord[] = [];
  const context: Context = { random, texts, budget, memory, sent };
  const choose = createChoice(Object.entries(kinds).map(([kind, { weight }]) => [kind, weight]));
  for (let n = 0; n < count; n++) {
    const wanted = choose(random);
    const kind = budget.bytes < leastForLarge && kinds[wanted]!.isLarge ? "one event" : wanted;
    const made = kinds[kind]!.make(context);
    if (made.data.length > recordBytes) throw new Error(`a record of ${made.data.length} bytes: ${kind}`);
    const record = { unpackedBytes: made.data.length, ...made, kind };
    budget.bytes -= record.unpackedBytes;
    if (record.valid.length > 0 && record.valid.length < 20 && kind !== "conflict")
      sent[random.integer(0, 199)] = record;
    yield record;
  }
}

interface Context {
  random: Random;
  texts: OrderTexts;
  budget: { bytes: number; longRows: number };
  /** Orders that may come again. */
  memory: (FuzzEvent & Timed)[];
  /** Records that may come again; with holes. */
  sent: FuzzRecord[];
}

interface Kind {
  weight: number;
  /** Whether it costs more than its share of the budget. */
  isLarge?: boolean;
  make: (context: Context) => Made;
}

/** The texts of one framing, and what they hold. */
interface Content {
  text: Buffer;
  valid: FuzzEvent[];
  rejected: number;
}

const kinds: Record<string, Kind> = {
  "one event": { weight: 30, make: (context) => plain(content(context, 1)) },
  "invalid event": { weight: 15, make: ({ texts }) => ({ data: texts.invalid().text, valid: [], rejected: 1 }) },
  "plain framing": { weight: 15, make: (context) => plain(content(context, size(context.random, 2, 12))) },
  batch: { weight: 15, make: (context) => batch(context, content(context, size(context.random, 1, 25), "lines")) },
  aggregated: { weight: 8, make: (context) => aggregated(context) },
  revision: {
    weight: 6,
    make: ({ random, texts, memory }) => {
      const at =
        memory.length < 100 && random.chance(0.3) ? memory.length : random.integer(0, Math.max(0, memory.length - 1));
      const event = memory[at];
      const next = (memory[at] = event === undefined ? texts.make(true) : texts.revise(event));
      return { data: Buffer.from(next.text), valid: [next], rejected: 0 };
    },
  },
  conflict: {
    weight: 4,
    make: ({ random, texts }) => {
      const event = texts.make(true);
      const others = Array.from({ length: size(random, 1, 20) }, () => texts.contradict(event));
      const all = random.shuffle([event, ...others]);
      return { data: zstdCompressSync(all.map(({ text }) => oneLine(text)).join("\n")), valid: all, rejected: 0 };
    },
  },
  "sent again": {
    weight: 8,
    make: ({ random, sent, texts }) => {
      const again = sent[random.integer(0, 199)];
      return again ?? { data: texts.invalid().text, valid: [], rejected: 1 };
    },
  },
  "nothing to see": {
    weight: 3,
    make: ({ random }) => {
      const text = random
        .pick([" ", "\n", "\0", nbsp, bom, "\r\n", recordSeparator])
        .repeat(size(random, 0, 5000) * Number(random.chance(0.8)));
      return { data: Buffer.from(text), valid: [], rejected: 1 };
    },
  },
  "empty batch": {
    weight: 2,
    make: ({ random }) => ({
      data: pack(random, Buffer.from(random.pick(["", "\n", " ", "\n\n", bom]))),
      valid: [],
      rejected: 0,
    }),
  },
  "damaged batch": { weight: 8, make: (context) => damagedBatch(context) },
  "damaged aggregated": { weight: 4, make: (context) => damagedAggregated(context) },
  "damaged text": { weight: 15, make: (context) => damagedText(context) },
  "other codec": {
    weight: 2,
    make: (context) => {
      const { text } = uncertain(context, size(context.random, 1, 20));
      const compress = context.random.pick([deflateSync, deflateRawSync, brotliCompressSync]);
      return { data: compress(text), valid: [], rejected: undefined };
    },
  },
  "other encoding": {
    weight: 2,
    make: ({ random, texts }) => {
      const text = Buffer.from((random.chance(0.5) ? bom : "") + texts.make(false).text, "utf16le");
      return { data: random.chance(0.5) ? text : text.swap16(), valid: [], rejected: 1 };
    },
  },
  noise: {
    weight: 4,
    make: ({ random }) => ({ data: noise(random, size(random, 1, 4000)), valid: [], rejected: undefined }),
  },
  "large noise": {
    weight: 0.2,
    isLarge: true,
    make: ({ random }) => ({ data: noise(random, size(random, 10_000, recordBytes)), valid: [], rejected: undefined }),
  },
  "repeated text": {
    weight: 2,
    isLarge: true,
    make: ({ random }) => ({ data: repeatedText(random, size(random, 1, 100_000)), valid: [], rejected: undefined }),
  },
  "large repeated text": {
    weight: 0.1,
    isLarge: true,
    make: ({ random }) => ({
      data: repeatedText(random, size(random, 100_000, recordBytes)),
      valid: [],
      rejected: undefined,
    }),
  },
  "packed repeated text": {
    weight: 0.06,
    isLarge: true,
    make: ({ random }) => {
      const text = repeatedText(random, size(random, 1_000_000, limits.batchBytes + 10));
      return { data: pack(random, text), valid: [], rejected: undefined, unpackedBytes: text.length };
    },
  },
  "large batch": {
    weight: 0.05,
    isLarge: true,
    make: (context) => batch(context, content(context, size(context.random, 500, 3000), "lines")),
  },
  "too many events": {
    weight: 0.02,
    isLarge: true,
    make: ({ random }) => {
      const events = limits.batchEvents + 1 + random.integer(0, 20_000);
      const text = Buffer.from(`${random.pick(emptyEvents.slice(0, 2))}\n`.repeat(events));
      return { data: pack(random, text), valid: [], rejected: 1, unpackedBytes: text.length };
    },
  },
  "most events": {
    weight: 0.02,
    isLarge: true,
    make: (context) => {
      const { random, budget } = context;
      budget.longRows--;
      const events = budget.longRows < 0 ? 1000 : limits.batchEvents;
      const text = Buffer.from(`${random.pick(["{}", "[]"])}\n`.repeat(events));
      return { data: pack(random, text), valid: [], rejected: events, unpackedBytes: text.length };
    },
  },
  "many empty lines": {
    weight: 0.5,
    make: (context) => {
      const { random } = context;
      const isTooMany = random.chance(0.5);
      const { text, valid } = isTooMany ? { ...uncertain(context, 2), valid: [] } : content(context, 2, "lines", true);
      const lines = "\n".repeat(isTooMany ? limits.emptyLines + 1 : random.integer(1, limits.emptyLines - 10));
      return { data: pack(random, Buffer.from(lines + text.toString())), valid, rejected: isTooMany ? 1 : 0 };
    },
  },
  "size at the limit": {
    weight: 0.03,
    isLarge: true,
    make: (context) => {
      const isTooLarge = context.random.chance(0.5);
      const { text, valid } = isTooLarge ? { ...uncertain(context, 2), valid: [] } : content(context, 2, "lines", true);
      const length = limits.batchBytes + Number(isTooLarge);
      const padded = Buffer.concat([text, Buffer.alloc(length - text.length, " ")]);
      return { data: pack(context.random, padded), valid, rejected: isTooLarge ? 1 : 0, unpackedBytes: length };
    },
  },
  "long event": {
    weight: 0.04,
    isLarge: true,
    make: (context) => {
      const { random, texts } = context;
      const orders = Array.from({ length: 3 }, () => oneLine(texts.make(false).text));
      const padded = Buffer.from(
        `[${orders.join(",")},0`.padEnd(size(random, limits.eventBytes, limits.batchBytes - 1000), "x"),
      );
      return { data: pack(context.random, padded), valid: [], rejected: 1, unpackedBytes: padded.length };
    },
  },
  "many orders in a broken text": {
    weight: 0.04,
    isLarge: true,
    make: ({ random, texts }) => {
      const one = JSON.stringify(JSON.parse(texts.make(false).text));
      const orders = Array.from({ length: size(random, 2, 30_000) }, (_, n) => one.replace(/fuzz-/, `${n}-`));
      const text = Buffer.from(`[${orders.join(random.pick([",", ",,", ""]))}`).subarray(0, limits.batchBytes);
      return { data: pack(random, text), valid: [], rejected: 1, unpackedBytes: text.length };
    },
  },
};

/** A number between two others, the small ones more often. */
function size(random: Random, from: number, to: number): number {
  const low = Math.max(from, 1);
  return Math.min(to, from + Math.floor(low * ((to / low) ** random.next() - 1)));
}

function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}

/** Some valid events, and with `lines` invalid ones, in one of the framings of plain text. */
function content(context: Context, count: number, framing?: "lines", isValid = false): Content {
  const { random, texts, memory } = context;
  const share = !isValid && random.chance(0.4) ? 0.3 : 0;
  const valid: FuzzEvent[] = [];
  const parts: Buffer[] = [];
  let rejected = 0;
  let [areWhole, isLastWhole] = [true, true];
  for (let n = 0; n < count; n++) {
    if (random.chance(share)) {
      const invalid = texts.invalid();
      const follows = invalid.isOpening || (framing === "lines" && isLastWhole);
      if (!follows) continue;
      rejected++;
      parts.push(invalid.text);
      isLastWhole = invalid.isWhole;
      areWhole &&= invalid.isWhole;
    } else {
      const event = texts.make(true);
      if (memory.length > 0 && random.chance(0.02)) memory[random.integer(0, memory.length - 1)] = event;
      valid.push(event);
      parts.push(Buffer.from(framing === "lines" ? oneLine(event.text) : event.text));
      isLastWhole = true;
    }
  }
  return { text: frame(random, parts, framing === "lines" || !areWhole), valid, rejected };
}

/** Orders that are not certain to be read. */
function uncertain({ random, texts }: Context, count: number): { text: Buffer; ids: string[] } {
  const events = Array.from({ length: count }, () => texts.make(false));
  const parts = events.map(({ text }) => Buffer.from(text));
  return { text: frame(random, parts, random.chance(0.5)), ids: events.map(({ orderId }) => orderId) };
}

/** Puts texts one after the other: on lines, or in any way that keeps them apart without damage. */
function frame(random: Random, parts: readonly Buffer[], isLines: boolean): Buffer {
  if (isLines) {
    const separator = random.pick(["\n", "\r\n", "\n\n", "\n\r\n", `\n${recordSeparator}`]);
    return Buffer.concat([...join(parts, separator), Buffer.from(random.pick(["", separator.slice(0, -1), "\n"]))]);
  }
  const isArray = parts.every((part) => part[0] === "{".charCodeAt(0));
  const way = random.pick([isArray ? "array" : "characters", "sequence", "characters"]);
  if (way === "array")
    return Buffer.concat([Buffer.from("["), ...join(parts, random.pick([",", " ,\n", "\n,\t"])), Buffer.from("]")]);
  if (way === "sequence")
    return Buffer.concat(parts.flatMap((part) => [Buffer.from(recordSeparator), part, Buffer.from("\n")]));
  const [before, between, after] = Array.from({ length: 3 }, () => {
    return random
      .pick(["", " ", bom, nbsp, "\0", "\u2028", "\u200b", "\u007f", "\r", "\n", "\t\n"])
      .repeat(random.integer(1, 3));
  });
  return Buffer.concat([Buffer.from(before!), ...join(parts, between!), Buffer.from(after!)]);
}

function join(parts: readonly Buffer[], separator: string): Buffer[] {
  return parts.flatMap((part, n) => (n === 0 ? [part] : [Buffer.from(separator), part]));
}

function plain({ text, valid, rejected }: Content): Made {
  const isEmpty = valid.length + rejected === 0;
  return { data: text, valid, rejected: isEmpty ? 1 : rejected };
}

function batch({ random }: Context, { text, valid, rejected }: Content): Made {
  return { data: pack(random, text), valid, rejected, unpackedBytes: text.length };
}

/** Compresses text with a codec that the pipeline reads, in one or several members. */
function pack(random: Random, text: Buffer, isOneMember = false): Buffer {
  const members: Buffer[] = [];
  const codec = random.pick(["gzip", "zstd", ...(isOneMember ? [] : ["pzstd"])]);
  const count = isOneMember ? 1 : random.pick([1, 1, 1, 2, 5]);
  const cuts = Array.from({ length: count - 1 }, () => random.integer(0, text.length)).toSorted((a, b) => a - b);
  for (const [n, start] of [0, ...cuts].entries()) {
    const member = text.subarray(start, cuts[n] ?? text.length);
    if (codec === "gzip") members.push(gzip(random, member));
    else members.push(...(codec === "pzstd" ? [skippable(random)] : []), zstd(random, member, isOneMember));
  }
  return Buffer.concat(members);
}

function gzip(random: Random, text: Buffer): Buffer {
  const member = gzipSync(text, { level: random.pick(text.length > 100_000 ? [1] : [0, 1, 6, 9]) });
  if (random.chance(0.8)) return member;
  // With a file name (RFC 1952, FNAME).
  const head = Buffer.from(member.subarray(0, 10));
  head[3]! |= 8;
  return Buffer.concat([head, Buffer.from("orders.json\0"), member.subarray(10)]);
}

function zstd(random: Random, text: Buffer, isChecked: boolean): Buffer {
  const level = random.pick([1, 3, ...(text.length > 100_000 ? [] : [9])]);
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: Number(isChecked || random.chance(0.5)),
    [constants.ZSTD_c_contentSizeFlag]: random.integer(0, 1),
  };
  return zstdCompressSync(text, { params });
}

/** A skippable frame as `pzstd` writes it. */
function skippable(random: Random): Buffer {
  return Buffer.from([0x50 + random.integer(0, 15), 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
}

function aggregated(context: Context): Made {
  const users = Array.from({ length: size(context.random, 1, 12) }, () => {
    const made = context.random.pick([
      () => plain(content(context, size(context.random, 1, 5))),
      () => batch(context, content(context, size(context.random, 1, 10), "lines")),
    ])();
    return made;
  });
  return {
    data: aggregate(...users.map(({ data }) => data)),
    valid: users.flatMap(({ valid }) => valid),
    rejected: users.reduce((sum, { rejected }) => sum + rejected!, 0),
    unpackedBytes: users.reduce((sum, { data, unpackedBytes }) => sum + (unpackedBytes ?? data.length), 0),
  };
}

/** A batch that cannot be unpacked to its last byte, or that holds another one: one rejected event. */
function damagedBatch(context: Context): Made {
  const { random } = context;
  const { text, ids } = uncertain(context, size(random, 1, 50));
  // One member with a checksum: what remains of several, or of one without, may be a whole batch.
  const whole = pack(random, text, true);
  const damaged = random.pick([
    () => whole.subarray(0, random.integer(4, whole.length - 1)),
    () => Buffer.concat([whole, Buffer.from(random.pick(["\0", "\n", "x", "{}", "\0\0\0\0", "\u001f"]))]),
    () => flip(random, whole),
    () => pack(random, whole),
    () => pack(random, aggregate(whole)),
    () => Buffer.concat([whole, Buffer.from([0x50, 0x2a, 0x4d, 0x18, 200, 0, 0, 0]), Buffer.alloc(200, "{}")]),
    () => Buffer.concat([whole, Buffer.from([0x28, 0xb5, 0x2f, 0xfd])]),
    () => Buffer.concat([whole, Buffer.from([0x1f, 0x8b])]),
  ])();
  return { data: damaged, valid: [], rejected: undefined, allOrNone: ids };
}

function damagedAggregated(context: Context): Made {
  const { random } = context;
  const whole = aggregate(...Array.from({ length: size(random, 1, 8) }, () => uncertain(context, 1).text));
  const damaged = random.pick([
    () => whole.subarray(0, random.integer(4, whole.length - 1)),
    () => Buffer.concat([whole, Buffer.from("\n")]),
    () => flip(random, whole, 4),
    () => aggregate(whole),
    () => Buffer.concat([whole, whole]),
  ])();
  return { data: damaged, valid: [], rejected: 1 };
}

/** Inverts a bit. */
function flip(random: Random, bytes: Buffer, from = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[random.integer(from, copy.length - 1)]! ^= 1 << random.integer(0, 7);
  return copy;
}

/**
 * Cuts, adds, moves and changes bytes of a text with several orders. What its tills wrote about themselves stays whole: a
 * number that is damaged to another one would rightly be reported as a gap.
 */
function damagedText(context: Context): Made {
  const { random } = context;
  const { text, ids } = uncertain(context, size(random, 1, 20));
  const kept = [...text.toString("latin1").matchAll(/"producer"\s*:\s*\{[^}]*\}/g)].map(({ index, 0: found }) => {
    return [index, index + found.length] as const;
  });
  const isFree = (from: number, to: number) => kept.every(([start, end]) => to <= start || from >= end);
  const edits: { from: number; to: number; by: Buffer }[] = [];
  for (let n = size(random, 1, 6); n > 0; n--) {
    const from = random.integer(0, text.length);
    const to = Math.min(text.length, from + random.pick([0, 0, 1, 1, 2, 30]));
    const by = random.pick([
      () => Buffer.alloc(0),
      () =>
        Buffer.from(
          random.pick([
            '"',
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\\",
            "\n",
            "\0",
            bom,
            nbsp,
            recordSeparator,
            "\r",
            "0",
            "e",
          ]),
        ),
      () => Buffer.from([random.integer(0, 255)]),
      () => Buffer.from(oneLine(context.texts.make(false).text).replace(/"producer".*/, "")),
    ])();
    if (isFree(from, to) && edits.every((edit) => to <= edit.from || from >= edit.to)) edits.push({ from, to, by });
  }
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { from, to, by } of edits.toSorted((a, b) => a.from - b.from)) {
    pieces.push(text.subarray(at, from), by);
    at = to;
  }
  pieces.push(text.subarray(at, random.chance(0.2) ? random.integer(at, text.length) : text.length));
  const damaged = Buffer.concat([...pieces, Buffer.from("x")]);
  const shown = ids.filter((id) => damaged.includes(id));
  return {
    data: random.chance(0.3) ? pack(random, damaged) : damaged,
    valid: [],
    rejected: undefined,
    shown,
    isAltered: true,
  };
}

function noise(random: Random, length: number): Buffer {
  const alphabet = random.pick([undefined, '{}[]":,0truenl\\u -', '{}"\n', "\u001f\u008b\u0008\u001e\n{"]);
  const bytes = Buffer.alloc(Math.min(length, 10_000));
  for (let n = 0; n < bytes.length; n++)
    bytes[n] = alphabet ? alphabet.charCodeAt(random.integer(0, alphabet.length - 1)) : random.integer(0, 255);
  return Buffer.alloc(length, bytes);
}

function repeatedText(random: Random, length: number): Buffer {
  return Buffer.alloc(length, random.pick(repeated));
}
