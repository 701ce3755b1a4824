import type { AddFile } from "../lake/delta-table.ts";
import type { SentAt } from "./sent-at.ts";

/** What a commit of silver says about itself in `commitInfo.userMetadata`, as JSON. */
export interface CommitNote {
  /** A staged file of the quarantine table, to be published there. */
  quarantine?: Pick<AddFile, "path" | "size" | "rows" | "stats">;
  sentAt?: SentAt;
}

/** The note of a commit; commits without one (compaction) have an empty note. */
export function readNote({ userMetadata }: { userMetadata?: string | undefined }): CommitNote {
  return userMetadata === undefined ? {} : (JSON.parse(userMetadata) as CommitNote);
}
