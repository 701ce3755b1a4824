import { limits } from "./rejection-reasons.ts";

const tillPattern = /"producer_id"\s*:\s*"([^"\\]{1,64})"/g;
/** The character after the digits proves that the number is not truncated. */
const numberPattern = /"seq"\s*:\s*(\d{1,16})\s*[,}]/;
const everyNumber = new RegExp(numberPattern, "g");

/** The sequence numbers of a till that an unreadable event may have had: the range, or any number without one. */
export interface Trace {
  producerId: string;
  from?: number;
  to?: number;
}

/** The missing sequence numbers of one till. */
export interface Gap {
  producerId: string;
  /** How many numbers between its lowest and its highest never arrived. */
  missing: number;
  /** These numbers, as single numbers (`4`) or ranges (`14-19`). */
  ranges: string[];
  /** How many of them unreadable events may explain: one number per event, and only events attributed to this till. */
  maybeUnreadable: number;
}

/** Collects the sequence numbers of all tills and finds the missing ones. */
export function createProducerLedger() {
  const seen = new Map<string, Set<number>>();
  const unreadable: { traces: readonly Trace[]; events: number }[] = [];
  return {
    /** Records one event of a producer; the same number counts once. */
    note(producerId: string, seq: number): void {
      let numbers = seen.get(producerId);
      if (numbers === undefined) seen.set(producerId, (numbers = new Set()));
      numbers.add(seq);
    },
    /**
     * Records unreadable events and the numbers that each may have had. Each excuses one number at most; none makes a
     * gap.
     */
    noteUnreadable(traces: readonly Trace[], events = 1): void {
      if (traces.length > 0) unreadable.push({ traces, events });
    },
    get producers(): number {
      return seen.size;
    },
    /** Returns the gap of every till with missing numbers. */
    gaps(): Gap[] {
      const open = [...seen].flatMap(([producerId, numbers]) => gapsIn(producerId, numbers));
      const found = [...Map.groupBy(open, ({ producerId }) => producerId)];
      assign(unreadable, new Map(found));
      return found.map(([producerId, holes]) => ({
        producerId,
        missing: holes.reduce((sum, { from, to }) => sum + to - from + 1, 0),
        ranges: holes.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)),
        maybeUnreadable: holes.reduce((sum, { taken }) => sum + taken, 0),
      }));
    },
  };
}

/** Consecutive numbers that never arrived, and how many of them are assigned to unreadable events. */
interface Hole {
  producerId: string;
  from: number;
  to: number;
  taken: number;
}

function gapsIn(producerId: string, numbers: ReadonlySet<number>): Hole[] {
  const sorted = Float64Array.from(numbers).toSorted();
  const holes: Hole[] = [];
  for (let i = 1; i < sorted.length; i++) {
    const [from, to] = [sorted[i - 1]! + 1, sorted[i]! - 1];
    if (from <= to) holes.push({ producerId, from, to, taken: 0 });
  }
  return holes;
}

/** Assigns at most one missing number to each unreadable event, starting with the narrowest traces. */
function assign(
  unreadable: readonly { traces: readonly Trace[]; events: number }[],
  holes: ReadonlyMap<string, Hole[]>,
): void {
  const assigned = new Set<string>();
  for (const { traces, events } of unreadable.toSorted((a, b) => doubt(a.traces) - doubt(b.traces))) {
    let left = events;
    for (const { producerId, from = -Infinity, to = Infinity } of traces) {
      // Copies of one damaged event excuse one number.
      const number = `${producerId} ${from}`;
      if (from === to && assigned.has(number)) continue;
      if (from === to) assigned.add(number);
      for (const hole of holes.get(producerId) ?? []) {
        if (hole.to < from || hole.from > to) continue;
        const given = Math.min(left, hole.to - hole.from + 1 - hole.taken);
        hole.taken += given;
        left -= given;
      }
    }
  }
}

/** How many numbers an event may have had. */
function doubt(traces: readonly Trace[]): number {
  const widths = traces.map(({ from, to }) => (from === undefined || to === undefined ? Number.MAX_VALUE : to - from));
  return Math.min(
    Number.MAX_VALUE,
    widths.reduce((sum, width) => sum + width, traces.length),
  );
}

export type ProducerLedger = ReturnType<typeof createProducerLedger>;

/** Salvages the producer fields from the text of a damaged event; undefined without a readable `producer_id`. */
export function salvageProducer(text: string): { producerId: string; seq?: number } | undefined {
  return salvageProducers(text, 1)[0];
}

/**
 * Salvages the producer fields of each event in a text; the text between two of them belongs to the first. Returns the
 * first ones if there are more than a record may hold.
 */
export function salvageProducers(
  text: string,
  most: number = limits.batchEvents,
): { producerId: string; seq?: number }[] {
  const tills: { index: number; producerId: string }[] = [];
  for (const { index, 1: producerId } of text.matchAll(tillPattern)) {
    if (tills.push({ index, producerId: producerId! }) > most) break;
  }
  return tills.slice(0, most).map(({ index, producerId }, n) => {
    // The number of a single event may stand before its till.
    const part = tills.length === 1 ? text : text.slice(index, tills[n + 1]?.index);
    const seq = numberPattern.exec(part)?.[1];
    return seq === undefined ? { producerId } : { producerId, seq: Number(seq) };
  });
}

/** Returns the byte ranges of the producer fields that can be salvaged from a damaged event. */
export function salvagedFields(bytes: Uint8Array): [start: number, end: number][] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const tills = [...text.matchAll(tillPattern)];
  const numbers = tills.length === 0 ? [] : [...text.matchAll(everyNumber)];
  const kept = tills.length === 1 ? [...tills, ...numbers.slice(0, 1)] : [...tills, ...numbers];
  return kept.map(({ index, 0: field }) => [index, index + field.length]);
}
