import type { ReasonCode } from "./rejection-reasons.ts";

/** Orders, order lines and money of the orders that count as sales. */
export interface Sales {
  orders: number;
  lines: number;
  pizzas: number;
  cents: number;
}

/** The account of every record, from the stream to gold. Records are what the stream carries; a batch holds many events. */
export interface Receipt {
  records: {
    sent: number;
    landed: number;
    /** In the on-failure store, and not in bronze. */
    onFailure: number;
    /** Sent, not landed yet: beyond the checkpoint. */
    waiting: number;
    transportDuplicates: number;
    distinct: number;
  };
  events: {
    /** Events of all distinct records in bronze. */
    distinct: number;
    accepted: number;
    eventDuplicates: number;
    supersededRevisions: number;
    quarantined: Partial<Record<ReasonCode, number>>;
    /** Of the quarantined: those whose order came in since, corrected or in a later event. */
    closed: number;
    /** In bronze, not refined yet. */
    pending: number;
  };
  /** Accepted orders that are no sales: cancelled or refunded. */
  notSales: number;
  /** What bronze says silver must hold, worked out again from the raw records. */
  expected: Sales;
  silver: Sales;
  gold: Sales;
  /** Days that silver changed since gold was published. */
  unpublishedDays: string[];
  producers: number;
  /** What is worth knowing and breaks no balance, in the form of findings. */
  notes: Finding[];
  /** What does not add up; empty when the receipt balances. */
  findings: Finding[];
}

/** One thing that is wrong, or worth knowing, with the records or rows that show it. */
export interface Finding {
  /** A short name of the invariant that is broken, or that the note is about. */
  invariant: string;
  sentence: string;
  /** At the most ten of them. */
  examples: string[];
}

/** How many examples a finding stands for; its sentence begins with that. */
export function countOf({ sentence }: Finding): number {
  return Number.parseInt(sentence, 10);
}

const mostExamples = 10;

/** Collects findings by invariant; only the first few examples are kept, all are counted. */
export function createFindings() {
  const found = new Map<string, { sentence: string; count: number; examples: string[] }>();
  return {
    /** `sentence` tells what is wrong with the example, in general terms. */
    add(invariant: string, sentence: string, example: string): void {
      const key = `${invariant}\n${sentence}`;
      const finding = found.get(key) ?? { sentence, count: 0, examples: [] };
      finding.count++;
      if (finding.examples.length < mostExamples) finding.examples.push(example);
      found.set(key, finding);
    },
    list(): Finding[] {
      return [...found].map(([key, { sentence, count, examples }]) => ({
        invariant: key.slice(0, key.indexOf("\n")),
        sentence: `${count} ${sentence}`,
        examples,
      }));
    },
  };
}

export type Findings = ReturnType<typeof createFindings>;
