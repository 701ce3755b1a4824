import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
  type ListObjectsV2CommandOutput,
  type ListObjectVersionsCommandOutput,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { errorCode } from "../pipeline/domain/errors.ts";
import type { Eraser, ObjectInfo, ObjectStore } from "../pipeline/ports.ts";
import { canBeginKey, isKey, temporaryFolder } from "./folder-store.ts";

const mostAttempts = 5;
/** Milliseconds. */
const firstPause = 40;

/**
 * Maximum number of requests that this process has in flight. More would wait for a connection, and the connection
 * timeout counts that wait: hundreds at once fail although S3 is well.
 */
const mostInFlight = 32;

/**
 * An S3 bucket as an object store. Every body has a SHA-256 checksum, which S3 verifies and stores, and which is
 * verified again on reading. A put-if-absent whose response was lost is retried and then finds its own object: it
 * returns false, as for an object of another writer.
 */
export function openS3Store({ bucket, client }: { bucket: string; client?: S3Client }): ObjectStore {
  const s3 = () => client ?? sharedS3Client();
  const location = { bucket, s3 };
  return {
    get: (key) => whenFree(() => getObject(location, key)),
    put: (key, body, { ifAbsent = false } = {}) => whenFree(() => putObject(location, key, { body, ifAbsent })),
    list: (prefix, { startAfter } = {}) => whenFree(() => listObjects(location, prefix, startAfter)),
    async delete(key) {
      checkKey(bucket, key);
      await whenFree(() => s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))).catch((error: unknown) => {
        throw explainS3(error, bucket, "delete", key);
      });
    },
  };
}

let inFlight = 0;
const waiting: (() => void)[] = [];

/** Runs a request once fewer than `mostInFlight` are running; requests start in the order of the calls. */
async function whenFree<Result>(request: () => Promise<Result>): Promise<Result> {
  if (inFlight < mostInFlight) inFlight++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await request();
  } finally {
    // A waiting request takes over the slot.
    const next = waiting.shift();
    if (next === undefined) inFlight--;
    else next();
  }
}

interface S3Location {
  bucket: string;
  s3: () => S3Client;
}

async function getObject({ bucket, s3 }: S3Location, key: string): Promise<Uint8Array | undefined> {
  checkKey(bucket, key);
  try {
    // The SDK retries requests, but not a body that breaks off or fails its checksum.
    return await repeat(async () => {
      const response = await s3().send(new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }));
      return await bodyOf(response);
    }, isBrokenBody);
  } catch (error) {
    if (nameOf(error) === "NoSuchKey") return undefined;
    throw explainS3(error, bucket, "read", key);
  }
}

class BrokenBody extends Error {}

const isBrokenBody = (error: unknown) => error instanceof BrokenBody;

async function bodyOf({ Body, ContentLength, ETag }: GetObjectCommandOutput): Promise<Uint8Array> {
  const body = await Body?.transformToByteArray().catch((cause: unknown) => {
    throw new BrokenBody(`the body is incomplete or does not match its checksum: ${String(cause)}`, { cause });
  });
  if (body?.length === ContentLength && body !== undefined && ETag !== undefined) return body;
  throw new BrokenBody(`the response is not an object: ${body?.length} of ${ContentLength} bytes, ETag ${ETag}`);
}

async function putObject(
  { bucket, s3 }: S3Location,
  key: string,
  { body, ifAbsent }: { body: Uint8Array; ifAbsent: boolean },
): Promise<boolean> {
  checkKey(bucket, key);
  const request = {
    Bucket: bucket,
    Key: key,
    Body: body,
    ContentLength: body.length,
    ChecksumAlgorithm: "SHA256" as const,
    ...(ifAbsent && { IfNoneMatch: "*" }),
  };
  try {
    return await repeat(async () => {
      const { ETag } = await s3().send(new PutObjectCommand(request));
      if (ETag === undefined)
        throw new Unconfirmed("the response has no ETag, so it does not confirm that the object was written");
      return true;
    }, isUndecided);
  } catch (error) {
    if (ifAbsent && statusOf(error) === 412) return false;
    throw explainS3(error, bucket, "write", key);
  }
}

class Unconfirmed extends Error {}

/** 409: another request on the same key was in progress. The object was neither written nor rejected, so retry. */
const isUndecided = (error: unknown) => statusOf(error) === 409 || error instanceof Unconfirmed;

/** S3 lists in byte order of the keys; invalid keys, such as consoles' folder markers, are left out. */
async function listObjects({ bucket, s3 }: S3Location, prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
  if (!canBeginKey(prefix)) return [];
  const found: ObjectInfo[] = [];
  let page: ListObjectsV2CommandOutput | undefined;
  do {
    const from = page ? { ContinuationToken: page.NextContinuationToken } : { StartAfter: startAfter };
    page = await s3()
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, EncodingType: "url", ...from }))
      .catch((error: unknown) => {
        throw explainS3(error, bucket, "list", prefix);
      });
    // An incomplete listing must not pass: silver would skip the missing objects.
    if (page.IsTruncated === undefined || (page.IsTruncated && !page.NextContinuationToken)) {
      throw explainS3(new Error("the response is not a listing"), bucket, "list", prefix);
    }
    found.push(...objectsOf(page));
  } while (page.IsTruncated);
  return found.filter(({ key }) => isKey(key));
}

/** XML cannot represent every character, so keys are percent-encoded, with `+` for a space. */
function objectsOf({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): ObjectInfo[] {
  const decode = (key: string) => (EncodingType === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key);
  return Contents.map(({ Key = "", Size = 0 }) => ({ key: decode(Key), size: Size }));
}

async function repeat<Result>(attempt: () => Promise<Result>, isWorthIt: (error: unknown) => boolean): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= mostAttempts || !isWorthIt(error)) throw error;
      await sleep(firstPause * 2 ** tries * (0.5 + Math.random() / 2));
    }
  }
}

function checkKey(bucket: string, key: string): void {
  if (isKey(key)) return;
  throw new Error(
    `S3 bucket ${bucket}: key ${JSON.stringify(key)} is not allowed: ` +
      `use names joined by "/", none of them empty, "." or "..", and not starting with ${temporaryFolder}/`,
  );
}

/** Deletes objects of a bucket with all their versions and delete markers. */
export function openS3Eraser({ bucket, client }: { bucket: string; client?: S3Client }): Eraser {
  const s3 = () => client ?? sharedS3Client();

  async function versionsOf(key: string): Promise<string[]> {
    const versions: string[] = [];
    let page: ListObjectVersionsCommandOutput | undefined;
    do {
      const from = page && { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      page = await s3().send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...from }));
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      versions.push(
        ...found.flatMap(({ Key, VersionId }) => (Key === key && VersionId !== undefined ? [VersionId] : [])),
      );
    } while (page.IsTruncated === true);
    return versions;
  }

  return {
    async erase(key) {
      try {
        for (const VersionId of await versionsOf(key)) {
          await s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId }));
        }
      } catch (error) {
        throw explainS3(error, bucket, "erase", key);
      }
    },
  };
}

let shared: S3Client | undefined;

/** The S3 client of this process, created on first use. */
function sharedS3Client(): S3Client {
  return (shared ??= newS3Client());
}

/**
 * An S3 client that retries slow, throttled and dropped requests. With a custom endpoint (`AWS_ENDPOINT_URL_S3` or
 * `AWS_ENDPOINT_URL`) it uses path-style addresses.
 */
export function newS3Client(config: S3ClientConfig = {}): S3Client {
  const hasEndpoint = Boolean(process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"]);
  return new S3Client({
    maxAttempts: 5,
    forcePathStyle: hasEndpoint || config.endpoint !== undefined,
    // Milliseconds; without timeouts a stalled connection blocks a function until it times out itself.
    requestHandler: { connectionTimeout: 3000, socketTimeout: 20_000 },
    ...config,
  });
}

/** Actions on a bucket. */
export type S3Action = "read" | "write" | "list" | "delete" | "erase";

const permissions: Record<S3Action, string> = {
  read:
    "s3:GetObject on the object and s3:ListBucket on the bucket (without the latter S3 denies access for missing " +
    "keys, too), and kms:Decrypt on its key",
  write: "s3:PutObject on the object and kms:GenerateDataKey on the bucket's key",
  list: "s3:ListBucket on the bucket, for this prefix",
  delete: "s3:DeleteObject on the object",
  erase: "s3:ListBucketVersions on the bucket and s3:DeleteObjectVersion on the object",
};

const credentials = "the credentials are not accepted: sign in again (aws sso login) or check the function's role";
const elsewhere = "the bucket is in another region: set AWS_REGION to the bucket's region";
const unreachable = "S3 does not answer: check AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the network, and try again";

const advice: Record<string, string> = {
  NoSuchBucket: "the bucket does not exist: take its name from the stack outputs",
  PermanentRedirect: elsewhere,
  AuthorizationHeaderMalformed: elsewhere,
  InvalidAccessKeyId: credentials,
  SignatureDoesNotMatch: credentials,
  ExpiredToken: credentials,
  CredentialsProviderError: credentials,
  SlowDown: "S3 throttles requests: try again in a minute",
  ServiceUnavailable: "S3 is overloaded: try again in a minute",
  ConditionalRequestConflict: "other writers keep writing this key: try again",
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  TimeoutError: unreachable,
};

/** An error for a failed S3 request that names the bucket, the key and what to do. */
function explainS3(cause: unknown, bucket: string, action: S3Action, key: string): Error {
  const why =
    statusOf(cause) === 403 && nameOf(cause) === "AccessDenied"
      ? `access is denied: the role needs ${permissions[action]}`
      : (advice[errorCode(cause)] ?? advice[nameOf(cause)] ?? `${String(cause)}: fix the cause and try again`);
  return new Error(`S3 bucket ${bucket}: could not ${action} ${key}: ${why}`, { cause });
}

/** Name of an S3 error, such as NoSuchKey; empty if it is not an error. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** HTTP status of an error; undefined if it has none. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
