/** A guard of the product, and how to break it. */
export interface Mutant {
  /** What prevents a loss or a duplicate. */
  guard: string;
  /** What would happen without the guard. */
  prevents: string;
  file: string;
  /** Occurs once in the file. */
  text: string;
  replacement: string;
  /** Test files, at least one of which must fail. */
  tests: readonly string[];
  /** A pattern for the names of the tests to run, if whole files would take too long. */
  only?: string;
}
