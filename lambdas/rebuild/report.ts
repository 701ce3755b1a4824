import type { Cause, Difference } from "./difference.ts";

/** What a rebuild found and did. */
export interface RebuildReport {
  from: string;
  to: string;
  source: "bronze" | "silver";
  /** Version of silver that was compared; after a publish the one that it made. */
  silverVersion: number;
  /** Bronze objects that were read again. */
  bronzeObjects: number;
  /** Days compared. */
  days: number;
  equal: boolean;
  /** Whether the differences were published. */
  published: boolean;
  /** How many values differ, by table, column and cause. */
  counts: { table: string; column: string; cause: Cause; values: number }[];
  /** The first thousand. */
  differences: Difference[];
  milliseconds: number;
}

const mostShown = 1000;

export function reportOf(
  { from, to, source }: Pick<RebuildReport, "from" | "to" | "source">,
  { differences, ...found }: Pick<RebuildReport, "differences" | "bronzeObjects" | "days" | "silverVersion">,
): RebuildReport {
  const groups = Map.groupBy(differences, ({ table, column, cause }) => `${table} ${column} ${cause}`);
  return {
    from,
    to,
    source,
    ...found,
    equal: differences.length === 0,
    published: false,
    counts: [...groups.values()].map((alike) => {
      const { table, column, cause } = alike[0]!;
      return { table, column, cause, values: alike.length };
    }),
    differences: differences.slice(0, mostShown),
    milliseconds: 0,
  };
}
