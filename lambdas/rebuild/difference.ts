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
