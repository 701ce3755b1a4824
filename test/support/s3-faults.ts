import type { HttpAnswer } from "./http-server.ts";

/** Something that goes wrong with requests to the S3 server. */
export interface S3Fault {
  /** Method of the requests it meets; a listing is `LIST`. */
  on: "GET" | "PUT" | "DELETE" | "LIST";
  kind:
    | "slow down"
    | "internal error"
    | "conflict"
    | "denied"
    | "no bucket"
    /** Nothing is done, and the connection is closed. */
    | "reset"
    /** Everything is done, and the connection is closed before an answer. */
    | "lost answer"
    /** Everything is done, and the answer is 200 with an error as its body. */
    | "error body"
    /** 200 with headers and nothing that says what was done. */
    | "empty answer"
    /** The body of an object breaks off in the middle. */
    | "cut short"
    /** One bit of an object's body is another. */
    | "flipped bit"
    /** A listing shows an object whose key ends with a slash. */
    | "folder mark";
  /** Requests that it meets; once where it does not say. */
  times?: number;
}

const codes: Partial<Record<S3Fault["kind"], readonly [status: number, code: string]>> = {
  "slow down": [503, "SlowDown"],
  "internal error": [500, "InternalError"],
  conflict: [409, "ConditionalRequestConflict"],
  denied: [403, "AccessDenied"],
  "no bucket": [404, "NoSuchBucket"],
};

/** The answer of a fault that leaves everything undone; undefined for the others. */
export function rejection(kind: S3Fault["kind"] | undefined): HttpAnswer | undefined {
  const [status, code] = (kind && codes[kind]) ?? [];
  return status === undefined || code === undefined ? undefined : s3Error(status, code);
}

/** Takes the first fault that meets such a request out of the list, once. */
export function takeFault(faults: S3Fault[], on: S3Fault["on"]): S3Fault["kind"] | undefined {
  const index = faults.findIndex((fault) => fault.on === on);
  const fault = faults[index];
  if (!fault) return undefined;
  const left = (fault.times ?? 1) - 1;
  if (left > 0) faults[index] = { ...fault, times: left };
  else faults.splice(index, 1);
  return fault.kind;
}

/** An error as S3 writes it. */
export function s3Error(status: number, code: string): HttpAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`;
  return { status, headers: { "content-type": "application/xml" }, body };
}
