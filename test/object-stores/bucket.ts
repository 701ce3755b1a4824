import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { newS3Client } from "../../lambdas/adapters/s3-client.ts";
import { openS3Store } from "../../lambdas/adapters/s3-store.ts";
import { once } from "../../lambdas/handlers/once.ts";
import type { ObjectStore } from "../../lambdas/ports.ts";

/** A client of a server on this machine. */
export function clientOf(endpoint: string, keys: { accessKeyId: string; secretAccessKey: string }): S3Client {
  return newS3Client({ endpoint, region: "us-east-1", credentials: keys });
}

let buckets = 0;

/** A name that no bucket of this run has. */
export const newBucketName = (): string => `pizza-${process.pid}-${Date.now()}-${++buckets}`;

/** Makes a bucket. */
export async function makeBucket(client: S3Client, Bucket = newBucketName()): Promise<string> {
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

/** A store in a new bucket, which is made by the first thing that is done with it. */
export function storeInNewBucket(client: S3Client): ObjectStore {
  const store = once(async () => openS3Store({ bucket: await makeBucket(client), client }));
  return {
    get: async (key) => (await store()).get(key),
    put: async (key, body, options) => (await store()).put(key, body, options),
    list: async (prefix, options) => (await store()).list(prefix, options),
    delete: async (key) => (await store()).delete(key),
  };
}
