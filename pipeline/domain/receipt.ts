import type { ReasonCode } from "./rejection-reasons.ts";

const mostExamples = 10;

/** Totals of the orders that count as sales; `cents` are US cents. */
export interface Sales {
  orders: number;
  lines: number;
  pizzas: number;
  cents: number;
}

/**
 * The reconciliation report: where every stream record and event is, from the stream to gold. A record may be a batch.
 */
export interface Receipt {
  records: {
    sent: number;
    landed: number;
    /** In the on-failure store but not in bronze. */
    onFailure: number;
    /** Sent but not landed yet: after the checkpoint. */
    waiting: number;
    /** In bronze objects that are set aside, which nothing reads. */
    setAside: number;
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
    /** Quarantined events that are resolved: their order was accepted since, corrected or from a later event. */
    closed: number;
    /** In bronze but not refined yet. */
    pending: number;
  };
  /** Accepted orders that are not sales: cancelled or refunded. */
  notSales: number;
  /** What silver must hold, recomputed from the raw records in bronze. */
  expected: Sales;
  silver: Sales;
  gold: Sales;
  /** Days (`YYYY-MM-DD`) that silver has changed since gold was published. */
  unpublishedDays: string[];
  producers: number;
  /** Observations that do not affect the balance. */
  notes: Finding[];
  /** Discrepancies; empty if the receipt balances. */
  findings: Finding[];
}

/** A discrepancy or an observation, with the records or rows that show it. */
export interface Finding {
  /** A short name of the invariant that is broken, or that the note is about. */
  invariant: string;
  /** Begins with the count. */
  sentence: string;
  /** At most ten examples. */
  examples: string[];
}

/** Returns how often a finding occurred; its sentence begins with that count. */
export function countOf({ sentence }: Finding): number {
  return Number.parseInt(sentence, 10);
}

/** Collects findings by invariant and sentence; counts every example but keeps only the first few. */
export function createFindings() {
  const found = new Map<string, { sentence: string; count: number; examples: string[] }>();
  return {
    /** Adds one example; `sentence` describes the problem in general terms, in the plural, without a count. */
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
