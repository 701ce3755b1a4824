const mostShown = 1000;

/** What a rebuild found and did. */
export interface RebuildReport {
  from: string;
  to: string;
  source: "bronze" | "silver";
  /** The silver version that was compared or, after a publish, the one that it committed. */
  silverVersion: number;
  /** Bronze objects that were replayed. */
  bronzeObjects: number;
  /** Days compared. */
  days: number;
  equal: boolean;
  /** Whether the differences were published. */
  published: boolean;
  /** How many values differ, by table, column and cause. */
  counts: { table: string; column: string; cause: Cause; values: number }[];
  /** At most the first 1000. */
  differences: Difference[];
  /** What bronze lacks; if anything, nothing is published. */
  missing: MissingBronze;
  milliseconds: number;
}

/** What silver was made from and bronze no longer has; at most the first 1000 of each. */
export interface MissingBronze {
  /** Keys of objects that silver consumed and that do not exist. */
  objects: string[];
  /** Records of silver rows that no object contains: `shard/sequence number`. */
  records: string[];
}

/** Creates the report of a comparison that was not published (yet). */
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

/** Whether bronze lacks records behind the published data, so that silver is the better copy. */
export function lacksBronze({ missing: { objects, records } }: Pick<RebuildReport, "missing">): boolean {
  return objects.length + records.length > 0;
}

/** Why a rebuilt value differs from the published one. */
export type Cause =
  /** No bronze object contains the row's record any longer; nothing is published. */
  | "bronze is missing"
  /** Silver has orders that arrived after gold was published. */
  | "late"
  /** The rules that validate the event or compute its columns have changed since it was refined. */
  | "rule version"
  /** The menu or the stores of that day have changed since the event was refined. */
  | "menu change"
  /** Silver is equal; the published data was changed outside the pipeline. */
  | "changed outside";

/** One published value that differs from the rebuilt one. */
export interface Difference {
  table: string;
  /** Business date `YYYY-MM-DD`; null if the row has none. */
  day: string | null;
  /** Primary key, its parts separated by spaces. */
  key: string;
  /** `*` for a whole row. */
  column: string;
  /** Null if the row did not exist. */
  published: string | null;
  rebuilt: string | null;
  cause: Cause;
}
