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
  /** What bronze lacks; nothing is published then. */
  missing: MissingBronze;
  milliseconds: number;
}

/** The first thousand of each. */
export interface MissingBronze {
  /** Keys of objects that silver took, and that are not there. */
  objects: string[];
  /** Records that rows of silver came from, and that no object holds: `shard/sequence number`. */
  records: string[];
}

const mostShown = 1000;

export function reportOf(
  { from, to, source }: Pick<RebuildReport, "from" | "to" | "source">,
  {
    differences,
    missing,
    ...found
  }: Pick<RebuildReport, "differences" | "bronzeObjects" | "days" | "silverVersion" | "missing">,
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
    missing: { objects: missing.objects.slice(0, mostShown), records: missing.records.slice(0, mostShown) },
    milliseconds: 0,
  };
}

/** Whether bronze can no longer make what is published, so that silver is the better copy. */
export function lacksBronze({ missing: { objects, records } }: Pick<RebuildReport, "missing">): boolean {
  return objects.length + records.length > 0;
}

/** Why a rebuilt value is not the published one. */
export type Cause =
  /** The record that the row came from is in no bronze object any more: nothing is published then. */
  | "bronze is missing"
  /** Gold was published before orders that silver has by now. */
  | "late"
  /** The event is judged, or its columns are worked out, otherwise than when it was refined. */
  | "rule version"
  /** The menu or the list of stores says something else of that day than when it was refined. */
  | "menu change"
  /** Silver is the same; somebody changed what was published. */
  | "changed outside";

/** One value that was published otherwise than it is rebuilt. */
export interface Difference {
  table: string;
  /** Business date, where the row has one: `YYYY-MM-DD`. */
  day: string | null;
  /** Primary key, its parts with blanks between them. */
  key: string;
  /** `*` for a whole row. */
  column: string;
  /** Null where the row was not there. */
  published: string | null;
  rebuilt: string | null;
  cause: Cause;
}
