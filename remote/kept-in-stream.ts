import { DescribeStreamSummaryCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import type { RedactStream } from "../lambdas/forget/forget-customer.ts";

const hourMs = 3_600_000;

/** Kinesis records cannot be rewritten: says how many of them the stream still keeps. */
export function countKept({ kinesis, streamName }: { kinesis: KinesisClient; streamName: string }): RedactStream {
  return async (records) => {
    const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName }));
    const { RetentionPeriodHours = 24 } = summary.StreamDescriptionSummary!;
    const oldest = Date.now() - RetentionPeriodHours * hourMs;
    return { rewritten: 0, kept: records.filter(({ arrivedAt }) => arrivedAt >= oldest).length };
  };
}
