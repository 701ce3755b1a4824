import type { OnProgress } from "../pipeline/ports.ts";

/** How far a long operation is: `done` of `total` units, such as bronze objects. */
export interface Progress {
  operation: string;
  done: number;
  total: number;
  unit: string;
}

/** How far the long operations of a pipeline are, for whoever asks while they run. */
export interface ProgressBoard {
  /** Begins an operation; the function that it returns is called as the operation goes on. */
  follow(operation: string): OnProgress;
  /** What has begun and not ended. */
  list(): Progress[];
}

export function createProgressBoard(): ProgressBoard {
  const running = new Map<string, Progress>();
  return {
    follow(operation) {
      running.delete(operation);
      return (done, total, unit) => {
        if (done < total) running.set(operation, { operation, done, total, unit });
        else running.delete(operation);
      };
    },
    list: () => [...running.values()],
  };
}
