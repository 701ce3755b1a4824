import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type GetObjectCommandOutput,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { ObjectInfo, ObjectStore } from "../ports.ts";
import { canBeginKey, isKey, temporaryFolder } from "./folder-listing.ts";
import { sharedS3Client } from "./s3-client.ts";
import { explainS3, nameOf, statusOf } from "./s3-errors.ts";

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

interface Place {
  bucket: string;
  s3: () => S3Client;
}

async function getObject({ bucket, s3 }: Place, key: string): Promise<Uint8Array | undefined> {
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
  { bucket, s3 }: Place,
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
async function listObjects({ bucket, s3 }: Place, prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
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
