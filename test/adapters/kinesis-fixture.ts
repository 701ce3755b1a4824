import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { newKinesisClient } from "../../adapters/kinesis.ts";
import type { OutgoingRecord } from "../../pipeline/ports.ts";
import { testAccess } from "../support/aws-access.ts";
import { startKinesisServer, type KinesisServer } from "../support/kinesis-server.ts";

/** A Kinesis server on an empty folder, and its client. */
export interface KinesisPipeline {
  root: string;
  server: KinesisServer;
  client: KinesisClient;
  close(): Promise<void>;
}

/** Starts a stream with that many shards. */
export async function openKinesisPipeline({ shards }: { shards: number }): Promise<KinesisPipeline> {
  const root = mkdtempSync(join(tmpdir(), "kinesis-"));
  const server = await startKinesisServer({ dir: join(root, "stream"), shards, pageSize: 3 });
  const client = newKinesisClient({ endpoint: server.url, ...testAccess });
  const close = async (): Promise<void> => {
    client.destroy();
    await server.close();
    rmSync(root, { recursive: true });
  };
  return { root, server, client, close };
}

/** A record with that text as its payload. */
export function recordOf(text: string, explicitHashKey = "0"): OutgoingRecord {
  return { partitionKey: "lane-0", explicitHashKey, data: Buffer.from(text) };
}
