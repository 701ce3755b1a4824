import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { ListStreamsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import pg from "pg";
import type { RunningLocalStack } from "../../targets/localstack-directory.ts";

/** The stacks, buckets and streams of a LocalStack, and the tables of its PostgreSQL: none after a start. */
export async function remembered({
  endpoint,
  databaseUrl,
}: Pick<RunningLocalStack, "endpoint" | "databaseUrl">): Promise<string[]> {
  const settings = { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const { Stacks = [] } = await new CloudFormationClient(settings).send(new DescribeStacksCommand({}));
  const { Buckets = [] } = await new S3Client({ ...settings, forcePathStyle: true }).send(new ListBucketsCommand({}));
  const kinesis = new KinesisClient({ ...settings, requestHandler: new NodeHttpHandler() });
  const { StreamNames = [] } = await kinesis.send(new ListStreamsCommand({}));
  const postgres = new pg.Client(databaseUrl);
  await postgres.connect();
  try {
    const { rows } = await postgres.query<{ name: string }>(
      "select schemaname || '.' || tablename as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    return [
      ...Stacks.map(({ StackName }) => `stack ${StackName}`),
      ...Buckets.map(({ Name }) => `bucket ${Name}`),
      ...StreamNames.map((name) => `stream ${name}`),
      ...rows.map(({ name }) => `table ${name}`),
    ];
  } finally {
    await postgres.end();
  }
}
