import type { HttpAnswer } from "./http-server.ts";

/** A fault of requests to the S3 server. */
export interface S3Fault {
  /** Method of the affected requests; a listing is `LIST`. */
  on: "GET" | "PUT" | "DELETE" | "LIST";
  kind:
    | "slow down"
    | "internal error"
    | "conflict"
    | "denied"
    | "no bucket"
    /** Nothing is done, and the connection is closed. */
    | "reset"
    /** Everything is done, and the connection is closed before the response. */
    | "lost answer"
    /** Everything is done, and the response is 200 with an error as its body. */
    | "error body"
    /** 200 with headers but no content. */
    | "empty answer"
    /** The body of an object is truncated. */
    | "cut short"
    /** One bit of an object's body is flipped. */
    | "flipped bit"
    /** A listing contains an object whose key ends with a slash. */
    | "folder mark";
  /** The number of affected requests; default: one. */
  times?: number;
}

const codes: Partial<Record<S3Fault["kind"], readonly [status: number, code: string]>> = {
  "slow down": [503, "SlowDown"],
  "internal error": [500, "InternalError"],
  conflict: [409, "ConditionalRequestConflict"],
  denied: [403, "AccessDenied"],
  "no bucket": [404, "NoSuchBucket"],
};

/** The response of a fault before anything is done; undefined for the others. */
export function rejection(kind: S3Fault["kind"] | undefined): HttpAnswer | undefined {
  const [status, code] = (kind && codes[kind]) ?? [];
  return status === undefined || code === undefined ? undefined : s3Error(status, code);
}

/** Removes the first fault that affects such a request from the list, once. */
export function takeFault(faults: S3Fault[], on: S3Fault["on"]): S3Fault["kind"] | undefined {
  const index = faults.findIndex((fault) => fault.on === on);
  const fault = faults[index];
  if (!fault) return undefined;
  const left = (fault.times ?? 1) - 1;
  if (left > 0) faults[index] = { ...fault, times: left };
  else faults.splice(index, 1);
  return fault.kind;
}

/** An error in S3's format. */
export function s3Error(status: number, code: string): HttpAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`;
  return { status, headers: { "content-type": "application/xml" }, body };
}
