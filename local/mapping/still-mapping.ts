import type { EventSourceMapping } from "../event-source-mapping.ts";
import { openCheckpoints } from "./checkpoints.ts";

/** In the place of a mapping where a home is only looked at: tells how far landing has come, and delivers nothing. */
export function openStillMapping(checkpointDir: string): EventSourceMapping {
  const checkpoints = openCheckpoints(checkpointDir);
  return {
    stop: async () => {},
    drain: async () => {
      throw new Error("Event source mapping: the home was opened to look only; open it to work");
    },
    checkpoints: () => checkpoints.all(),
    metrics: () => ({
      invocations: 0,
      errors: 0,
      retries: 0,
      bisects: 0,
      landedRecords: 0,
      onFailureRecords: 0,
      iteratorAgeMs: 0,
    }),
  };
}
