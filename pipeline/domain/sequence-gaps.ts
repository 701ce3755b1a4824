/** Numbers of a till that an event may have borne which nobody can read: any of them where no range is said. */
export interface Trace {
  producerId: string;
  from?: number;
  to?: number;
}

/** What one till lacks. */
export interface Gap {
  producerId: string;
  /** How many numbers between its lowest and its highest never came. */
  missing: number;
  /** Them, one by one or as ranges. */
  ranges: string[];
  /** How many of them unreadable events may have borne: one number each, and only where a trace leads to this till. */
  maybeUnreadable: number;
}

/** Finds what is missing in the counters of the tills. */
export function createProducerLedger() {
  const seen = new Map<string, Set<number>>();
  const unreadable: { traces: readonly Trace[]; events: number }[] = [];
  return {
    /** Notes one event of a producer; the same number twice counts once. */
    note(producerId: string, seq: number): void {
      let numbers = seen.get(producerId);
      if (numbers === undefined) seen.set(producerId, (numbers = new Set()));
      numbers.add(seq);
    },
    /** Notes events that nobody can read, and where each of them may belong. They never make a gap, and fill one number each. */
    noteUnreadable(traces: readonly Trace[], events = 1): void {
      if (traces.length > 0) unreadable.push({ traces, events });
    },
    get producers(): number {
      return seen.size;
    },
    /** The tills that lack numbers; most lack none. */
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

/** Numbers in a row that never came, and how many of them unreadable events have been given. */
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

/** Gives each unreadable event one number at the most, the surest traces first. */
function assign(
  unreadable: readonly { traces: readonly Trace[]; events: number }[],
  holes: ReadonlyMap<string, Hole[]>,
): void {
  const borne = new Set<string>();
  for (const { traces, events } of unreadable.toSorted((a, b) => doubt(a.traces) - doubt(b.traces))) {
    let left = events;
    for (const { producerId, from = -Infinity, to = Infinity } of traces) {
      // Copies of one damaged event stand for one number.
      const number = `${producerId} ${from}`;
      if (from === to && borne.has(number)) continue;
      if (from === to) borne.add(number);
      for (const hole of holes.get(producerId) ?? []) {
        if (hole.to < from || hole.from > to) continue;
        const given = Math.min(left, hole.to - hole.from + 1 - hole.taken);
        hole.taken += given;
        left -= given;
      }
    }
  }
}

/** Among how many numbers an event is to be looked for. */
function doubt(traces: readonly Trace[]): number {
  const widths = traces.map(({ from, to }) => (from === undefined || to === undefined ? Number.MAX_VALUE : to - from));
  return Math.min(
    Number.MAX_VALUE,
    widths.reduce((sum, width) => sum + width, traces.length),
  );
}

export type ProducerLedger = ReturnType<typeof createProducerLedger>;

const till = /"producer_id"\s*:\s*"([^"\\]{1,64})"/;
/** What follows the digits says that none was cut off. */
const number = /"seq"\s*:\s*(\d{1,16})\s*[,}]/;

/** What is left of a till's name and number in the text of a damaged event; undefined without the name. */
export function salvageProducer(text: string): { producerId: string; seq?: number } | undefined {
  const producerId = till.exec(text)?.[1];
  if (producerId === undefined) return undefined;
  const seq = number.exec(text)?.[1];
  return seq === undefined ? { producerId } : { producerId, seq: Number(seq) };
}

/** Where they stand in its bytes. */
export function salvagedFields(bytes: Uint8Array): [start: number, end: number][] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (!till.test(text)) return [];
  return [till, number].flatMap((pattern) => {
    const found = pattern.exec(text);
    return found === null ? [] : [[found.index, found.index + found[0].length]];
  });
}
