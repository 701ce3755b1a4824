import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { newS3Client, openS3Store } from "../../adapters/s3.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";

/** A client of a server on this machine. */
export function clientOf(endpoint: string, keys: { accessKeyId: string; secretAccessKey: string }): S3Client {
  return newS3Client({ endpoint, region: "us-east-1", credentials: keys });
}

let buckets = 0;

/** A bucket name that is unique in this run. */
export const newBucketName = (): string => `pizza-${process.pid}-${Date.now()}-${++buckets}`;

/** Creates a bucket. */
export async function makeBucket(client: S3Client, Bucket = newBucketName()): Promise<string> {
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

/** A store in a new bucket, which is created on first use. */
export function storeInNewBucket(client: S3Client): ObjectStore {
  let opened: Promise<ObjectStore> | undefined;
  const store = () => (opened ??= makeBucket(client).then((bucket) => openS3Store({ bucket, client })));
  return {
    get: async (key) => (await store()).get(key),
    put: async (key, body, options) => (await store()).put(key, body, options),
    list: async (prefix, options) => (await store()).list(prefix, options),
    delete: async (key) => (await store()).delete(key),
  };
}
