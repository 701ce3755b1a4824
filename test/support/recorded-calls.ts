import type { HttpRequest } from "./http-server.ts";

/** A call to AWS, as IAM sees it. */
export interface RecordedCall {
  /** The id of the signing access key. */
  caller: string;
  /** Such as `s3:PutObject`. */
  action: string;
  /** For S3: a bucket and a key, or the listed prefix. */
  object?: { bucket: string; key: string };
}

/** The id of a deployed function's access key, with the lake SQL engine of its role. */
export const callerId = (name: string, lakeSql = "athena"): string => `${name}.${lakeSql}`;

/** Every signed call to any server of this test, in order. */
export const recordedCalls: RecordedCall[] = [];

/** Records a request if it is signed. */
export function recordCall(request: Pick<HttpRequest, "method" | "url" | "headers" | "body">): void {
  const signed = /Credential=([^/]+)\/\d+\/[^/]+\/([\w-]+)\/aws4_request/.exec(request.headers.authorization ?? "");
  if (!signed) return;
  const [, caller, service] = signed as unknown as [string, string, string];
  if (service === "s3") recordedCalls.push({ caller, ...ofS3(request) });
  else recordedCalls.push({ caller, action: `${service}:${operationOf(request)}` });
}

/** By header in AWS JSON, by field in AWS Query, by path in the RDS Data API. */
function operationOf({ url, headers, body }: Pick<HttpRequest, "url" | "headers" | "body">): string {
  const target = headers["x-amz-target"];
  if (target !== undefined) return String(target).split(".").at(-1)!;
  const query = new URLSearchParams(body.toString()).get("Action");
  const path = url.pathname.slice(1);
  return query ?? (path.endsWith("xecute") ? `${path}Statement` : path);
}

function ofS3({ method, url }: Pick<HttpRequest, "method" | "url">): Omit<RecordedCall, "caller"> {
  const [, bucket = "", ...parts] = url.pathname.split("/").map(decodeURIComponent);
  const key = parts.join("/");
  const prefix = url.searchParams.get("prefix") ?? "";
  if (url.searchParams.has("versions")) return { action: "s3:ListBucketVersions", object: { bucket, key: prefix } };
  if (method === "GET" && key === "") return { action: "s3:ListBucket", object: { bucket, key: prefix } };
  if (method === "POST") return { action: "s3:DeleteObject", object: { bucket, key } };
  const names: Record<string, string> = {
    GET: "GetObject",
    HEAD: "GetObject",
    PUT: "PutObject",
    DELETE: "DeleteObject",
  };
  return { action: `s3:${names[method]}`, object: { bucket, key } };
}
