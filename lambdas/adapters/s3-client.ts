import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

let shared: S3Client | undefined;

/** The S3 client of this process, made when it is first asked for. */
export function sharedS3Client(): S3Client {
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
