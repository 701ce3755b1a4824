import { KinesisClient, type KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

let shared: KinesisClient | undefined;

/** The Kinesis client of this process, made when it is first asked for. */
export function sharedKinesisClient(): KinesisClient {
  return (shared ??= newKinesisClient());
}

/** A Kinesis client over HTTP/1.1 (emulators speak nothing else) that waits and tries again where it is throttled. */
export function newKinesisClient(config: KinesisClientConfig = {}): KinesisClient {
  return new KinesisClient({
    maxAttempts: 8,
    // Milliseconds; without them a connection that went silent holds its caller for ever.
    requestHandler: new NodeHttpHandler({ connectionTimeout: 3000, socketTimeout: 20_000 }),
    ...config,
  });
}
