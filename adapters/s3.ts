import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type GetObjectCommandOutput,
  type ListObjectsV2CommandOutput,
  S3Client,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { errorCode } from "../pipeline/domain/errors.ts";
import type { ObjectInfo, ObjectStore, Eraser } from "../pipeline/ports.ts";
import { canBeginKey, isKey, temporaryFolder } from "./folder-store.ts";

const mostAttempts = 5;
/** Milliseconds. */
const firstPause = 40;

/**
 * An S3 bucket as an object store. Every body travels with its SHA-256, which S3 checks and keeps, and which is checked
 * again on reading. A put-if-absent whose answer was lost is sent again and then finds its own object: it says false, as for
 * anybody else's.
 */
export function openS3Store({ bucket, client }: { bucket: string; client?: S3Client }): ObjectStore {
  const s3 = () => client ?? sharedS3Client();
  const place = { bucket, s3 };
  return {
    get: (key) => getObject(place, key),
    put: (key, body, { ifAbsent = false } = {}) => putObject(place, key, { body, ifAbsent }),
    list: (prefix, { startAfter } = {}) => listObjects(place, prefix, startAfter),
    async delete(key) {
      checkKey(bucket, key);
      await s3()
        .send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
        .catch((error: unknown) => {
          throw explainS3(error, bucket, "delete", key);
        });
    },
  };
}

interface S3Location {
  bucket: string;
  s3: () => S3Client;
}

async function getObject({ bucket, s3 }: S3Location, key: string): Promise<Uint8Array | undefined> {
  checkKey(bucket, key);
  try {
    // The SDK repeats a request, but not the reading of a body that breaks off or fails its checksum.
    return await repeat(async () => {
      const answer = await s3().send(new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }));
      return await bodyOf(answer);
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
    throw new BrokenBody(`the body broke off or is not what its checksum says: ${String(cause)}`, { cause });
  });
  if (body?.length === ContentLength && body !== undefined && ETag !== undefined) return body;
  throw new BrokenBody(`the answer is no object: ${body?.length} of ${ContentLength} bytes, ETag ${ETag}`);
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
        throw new Unconfirmed("the answer names no ETag: it does not say that the object is there");
      return true;
    }, isUndecided);
  } catch (error) {
    if (ifAbsent && statusOf(error) === 412) return false;
    throw explainS3(error, bucket, "write", key);
  }
}

class Unconfirmed extends Error {}

/** A 409 says that another request of the same key was under way: neither written nor refused, so ask once more. */
const isUndecided = (error: unknown) => statusOf(error) === 409 || error instanceof Unconfirmed;

/** S3 lists in byte order of the keys; what could not be a key (the folder marks of consoles) is left out. */
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
    // Half a listing is worse than none: silver would take the missing objects for nothing.
    if (page.IsTruncated === undefined || (page.IsTruncated && !page.NextContinuationToken)) {
      throw explainS3(new Error("the answer is no listing"), bucket, "list", prefix);
    }
    found.push(...objectsOf(page));
  } while (page.IsTruncated);
  return found.filter(({ key }) => isKey(key));
}

/** XML cannot carry every character, so the keys come percent-encoded, a blank as `+`. */
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
    `S3 bucket ${bucket}: the key ${JSON.stringify(key)} is not allowed; ` +
      `use names joined by "/", none of them empty, "." or "..", and none beginning in ${temporaryFolder}/`,
  );
}

/** Removes objects of a bucket with every version of theirs, and the marks of earlier deletions. */
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

/** The S3 client of this process, made when it is first asked for. */
function sharedS3Client(): S3Client {
  return (shared ??= newS3Client());
}

/**
 * An S3 client that tries again where S3 is slow, throttles or drops the connection. An endpoint of its own comes from
 * `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`; buckets then are parts of the path, not of the host's name.
 */
export function newS3Client(config: S3ClientConfig = {}): S3Client {
  const hasEndpoint = Boolean(process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"]);
  return new S3Client({
    maxAttempts: 5,
    forcePathStyle: hasEndpoint || config.endpoint !== undefined,
    // Milliseconds; without them a connection that went silent holds a function until its own time is up.
    requestHandler: { connectionTimeout: 3000, socketTimeout: 20_000 },
    ...config,
  });
}

/** What a store does with a bucket. */
export type S3Action = "read" | "write" | "list" | "delete" | "erase";

const permissions: Record<S3Action, string> = {
  read:
    "s3:GetObject on the object and s3:ListBucket on the bucket (without the latter S3 answers so for a key that is " +
    "not there), and kms:Decrypt on its key",
  write: "s3:PutObject on the object and kms:GenerateDataKey on the bucket's key",
  list: "s3:ListBucket on the bucket, for this prefix",
  delete: "s3:DeleteObject on the object",
  erase: "s3:ListBucketVersions on the bucket and s3:DeleteObjectVersion on the object",
};

const credentials = "the credentials are not accepted; sign in again (aws sso login) or see to the function's role";
const elsewhere = "the bucket lies in another region; set AWS_REGION to the bucket's region";
const unreachable = "S3 does not answer; see AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the network, and run it again";

const advice: Record<string, string> = {
  NoSuchBucket: "there is no such bucket; take its name from the outputs of the stack",
  PermanentRedirect: elsewhere,
  AuthorizationHeaderMalformed: elsewhere,
  InvalidAccessKeyId: credentials,
  SignatureDoesNotMatch: credentials,
  ExpiredToken: credentials,
  CredentialsProviderError: credentials,
  SlowDown: "S3 asks for fewer requests; run it again in a minute",
  ServiceUnavailable: "S3 is overloaded; run it again in a minute",
  ConditionalRequestConflict: "others keep writing this key; run it again",
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  TimeoutError: unreachable,
};

/** The error of a request to S3 as a sentence: the bucket, the key, and what to do; `cause` keeps the SDK's own. */
function explainS3(cause: unknown, bucket: string, action: S3Action, key: string): Error {
  const why =
    statusOf(cause) === 403 && nameOf(cause) === "AccessDenied"
      ? `access is denied; the role needs ${permissions[action]}`
      : (advice[errorCode(cause)] ?? advice[nameOf(cause)] ?? `${String(cause)}; see to it and run it again`);
  return new Error(`S3 bucket ${bucket}: could not ${action} ${key}: ${why}`, { cause });
}

/** S3's name of an error, such as NoSuchKey; empty for what is no error. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** The HTTP status that an error came with; undefined where none came. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
