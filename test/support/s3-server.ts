import { createHash } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { ObjectInfo, ObjectStore } from "../../pipeline/ports.ts";
import { startHttpServer, type HttpAnswer, type HttpRequest, type TestServer } from "./http-server.ts";
import { createVersions } from "./s3-versions.ts";
import { rejection, s3Error, takeFault, type S3Fault } from "./s3-faults.ts";

export interface S3Server extends TestServer {
  /** The pending faults: tests add them, requests remove them. */
  faults: S3Fault[];
  /** The requests so far, such as `PUT /lake/a/b`, with their queries. */
  requests: string[];
  /** The contents of a bucket, without HTTP. */
  bucket(name: string): ObjectStore;
}

/**
 * S3 over folders, one per bucket below `root`, with path-style addresses; `pageSize` is the page length of listings.
 * One that ignores conditions ignores `If-None-Match`, like some S3-compatible servers.
 */
export async function startS3Server({
  root,
  pageSize = 1000,
  ignoresConditions = false,
}: {
  root: string;
  pageSize?: number;
  ignoresConditions?: boolean;
}): Promise<S3Server> {
  const faults: S3Fault[] = [];
  const requests: string[] = [];
  const versions = createVersions();
  const stores = new Map<string, ObjectStore>();
  const bucket = (name: string): ObjectStore => {
    const store = stores.get(name) ?? openFolderStore(join(root, name));
    stores.set(name, store);
    return store;
  };

  async function handle(request: HttpRequest): Promise<HttpAnswer | undefined> {
    const { method, url } = request;
    requests.push(`${method} ${url.pathname}${url.search}`);
    const isListing = url.searchParams.get("list-type") === "2";
    const fault = takeFault(faults, isListing ? "LIST" : (method as S3Fault["on"]));
    const rejected = rejection(fault);
    if (rejected) return rejected;
    if (fault === "reset") return hangUp(request);
    const [, name = "", ...parts] = url.pathname.split("/").map(decodeURIComponent);
    const store = bucket(name);
    const [key, version] = [parts.join("/"), url.searchParams.get("versionId")];
    if (url.searchParams.has("versions")) {
      const body = await versions.list(store, url.searchParams, pageSize);
      return { headers: { "content-type": "application/xml" }, body };
    }
    if (method === "DELETE" && version !== null) {
      await versions.remove(store, key, version);
      return { status: 204 };
    }
    const answer = isListing
      ? await list(store, url.searchParams, pageSize)
      : await onObject(store, key, ignoresConditions ? unconditional(request) : request);
    if (method === "PUT" && answer.status === undefined) versions.notePut(key);
    if (method === "DELETE") versions.noteDelete(key);
    return spoil(answer, fault, request);
  }

  return { ...(await startHttpServer(handle)), faults, requests, bucket };
}

function unconditional(request: HttpRequest): HttpRequest {
  const headers = { ...request.headers };
  delete headers["if-none-match"];
  return { ...request, headers };
}

async function onObject(store: ObjectStore, key: string, request: HttpRequest): Promise<HttpAnswer> {
  if (request.method === "PUT") return await put(store, key, request);
  if (request.method === "DELETE") {
    await store.delete(key);
    return { status: 204 };
  }
  const body = await store.get(key);
  if (!body) return s3Error(404, "NoSuchKey");
  const headers = { ...describe(body), "content-length": String(body.length) };
  return request.method === "HEAD" ? { headers } : { headers, body };
}

async function put(store: ObjectStore, key: string, { headers, body }: HttpRequest): Promise<HttpAnswer> {
  const checksums = describe(body);
  const isWhole = Object.entries(checksums).every(
    ([name, value]) => name === "etag" || (headers[name] ?? value) === value,
  );
  if (!isWhole) return s3Error(400, "BadDigest");
  const created = await store.put(key, body, { ifAbsent: headers["if-none-match"] === "*" });
  return created ? { headers: checksums } : s3Error(412, "PreconditionFailed");
}

function describe(body: Uint8Array): Record<string, string> {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(body));
  return {
    etag: `"${createHash("md5").update(body).digest("hex")}"`,
    "x-amz-checksum-sha256": createHash("sha256").update(body).digest("base64"),
    "x-amz-checksum-crc32": crc.toString("base64"),
  };
}

async function list(store: ObjectStore, query: URLSearchParams, pageSize: number): Promise<HttpAnswer> {
  const token = query.get("continuation-token");
  const startAfter = token === null ? query.get("start-after") : Buffer.from(token, "base64url").toString();
  const all = await store.list(query.get("prefix") ?? "", startAfter === null ? {} : { startAfter });
  const page = all.slice(0, pageSize);
  const isTruncated = page.length < all.length;
  const next = isTruncated
    ? `<NextContinuationToken>${Buffer.from(page.at(-1)!.key).toString("base64url")}</NextContinuationToken>`
    : "";
  const contents = page.map(contentsOf(query.get("encoding-type") === "url" ? encode : escape));
  const encoding = query.has("encoding-type") ? "<EncodingType>url</EncodingType>" : "";
  const result = `<KeyCount>${page.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${encoding}${next}`;
  return {
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>${result}${contents.join("")}</ListBucketResult>`,
  };
}

function contentsOf(write: (key: string) => string): (object: ObjectInfo) => string {
  return ({ key, size }) => `<Contents><Key>${write(key)}</Key><Size>${size}</Size></Contents>`;
}

/** As S3 encodes keys: a space is a `+`, and slashes are unchanged. */
function encode(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/").replaceAll("%20", "+");
}

/** XML cannot represent some characters. */
const unwritable = /[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

function escape(text: string): string {
  return text.replaceAll(unwritable, "\uFFFD").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const folderMark = contentsOf(escape)({ key: "a/", size: 0 });

function spoil(answer: HttpAnswer, fault: S3Fault["kind"] | undefined, request: HttpRequest): HttpAnswer | undefined {
  const { body = "", headers = {} } = answer;
  if (fault === "lost answer") return hangUp(request);
  if (fault === "error body") return { ...s3Error(500, "InternalError"), status: 200 };
  if (fault === "empty answer") return { headers: { "x-amz-request-id": "1" } };
  if (fault === "folder mark")
    return { ...answer, body: String(body).replace("<Contents>", `${folderMark}<Contents>`) };
  if (fault === "flipped bit") return { ...answer, headers, body: flip(body) };
  if (fault !== "cut short") return answer;
  setTimeout(request.reset, 20);
  return { ...answer, headers: { ...headers, "content-length": String(Buffer.byteLength(body)) }, body: half(body) };
}

function hangUp({ reset }: HttpRequest): undefined {
  reset();
}

const half = (body: string | Uint8Array) => Buffer.from(body as string).subarray(0, body.length / 2);

function flip(body: string | Uint8Array): Buffer {
  const flipped = Buffer.from(body as string);
  flipped[0] = flipped[0]! ^ 1;
  return flipped;
}
