import { assumptions as given } from "./assumptions.ts";
import { daysAMonth, hoursAMonth, type DeploymentSize } from "./deployment-size.ts";
import type { Usage } from "./price-table.ts";
import { trafficOf } from "./traffic.ts";
import { fixedUsage, streamUsage } from "./usage.ts";

const gb = 1e9;

/** Description of a simple design of the same pipeline, which `naiveUsage` quantifies. */
export const naiveDesign = [
  "one JSON event per record, on as many shards as that requires",
  "a batching window of one second: an invocation and a JSON object in S3 per second and shard with orders",
  "a three-step execution per object, and one upsert over the Data API per order",
  "a database of 2 ACU that never pauses",
  "one log line per event",
] as const;

const naive = { windowSeconds: 1, steps: 3, callMs: 150, stepMs: 300, acu: 2, logBytesPerEvent: 300, iosPerUpsert: 4 };

/** Monthly usage of the naive design with the same region, resources and orders. */
export function naiveUsage(size: DeploymentSize, ordersPerDay: number): Usage {
  const landing = { batchRecords: size.landing.batchRecords, windowSeconds: naive.windowSeconds };
  const found = trafficOf({ ...size, landing }, ordersPerDay, { isBatched: false });
  const shards = Math.max(found.shards, found.shardsWanted);
  const stream = { ...size.stream, shards: size.stream.shards === "on-demand" ? ("on-demand" as const) : shards };
  const traffic = trafficOf({ stream, landing }, ordersPerDay, { isBatched: false });
  const { landings, events } = traffic;
  const calls = landings * (1 + naive.steps);
  const megabytes = (size.functions["LandRecords"] ?? 512) / 1024;
  const gbSeconds = (megabytes * landings * (naive.callMs + naive.steps * naive.stepMs)) / 1000;
  const storedGb = (ordersPerDay * daysAMonth * given.monthsKept * given.eventBytes * 2) / gb;
  const logGb = (events * naive.logBytesPerEvent + calls * given.logBytesPerCall) / gb;
  return {
    ...streamUsage({ stream }, traffic),
    "lambda-requests": calls,
    [size.architecture === "arm64" ? "lambda-arm-gb-seconds" : "lambda-x86-gb-seconds"]: gbSeconds,
    "states-transitions": landings * (naive.steps + 1),
    "s3-puts": landings * 2,
    "s3-gets": landings * 2,
    "s3-standard-gb-months": storedGb,
    "aurora-acu-hours": naive.acu * hoursAMonth * (size.aurora?.instances ?? 1),
    "aurora-gb-months":
      given.goldBaseGb + (ordersPerDay * daysAMonth * given.monthsKept * given.goldBytesPerOrder) / gb,
    "aurora-ios": events * naive.iosPerUpsert,
    "data-api-requests": events,
    "kms-requests": landings * (size.hasBucketKeys ? 1 : 5),
    "logs-gb": logGb,
    "logs-gb-months": logGb,
    ...(size.isTraced && { "xray-traces": Math.min(calls, hoursAMonth * 3600 + calls / 20) }),
    ...fixedUsage(size),
  };
}
