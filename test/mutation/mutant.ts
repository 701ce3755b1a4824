/** One guard of the product, and how it is broken. */
export interface Mutant {
  /** What stands in the way of losing or doubling something. */
  guard: string;
  /** What would come of it without the guard. */
  prevents: string;
  file: string;
  /** Occurs once in the file. */
  text: string;
  replacement: string;
  /** Test files of which one has to turn red. */
  tests: readonly string[];
  /** Part of the names of the tests that are run, where the whole files would take long. */
  only?: string;
}
