import { Stack } from "aws-cdk-lib";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { Rule } from "aws-cdk-lib/aws-events";
import { SnsTopic } from "aws-cdk-lib/aws-events-targets";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import type { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { minutes } from "../constructs/time.ts";
import { threshold, alarm, pipelineMetric } from "./alarm.ts";

export interface LandingParts {
  environment: Environment;
  stream: IStream;
  landRecords: IFunction;
  onFailure: IBucket;
  alerts: ITopic;
}

/** Watches the way from the stream to bronze: is it behind, does it fail, was anything given up. */
export function watchLanding(scope: Construct, monitoring: MonitoringFacade, parts: LandingParts): void {
  const { environment, stream, landRecords } = parts;
  monitoring.addLargeHeader("From the stream to bronze");
  monitoring.monitorKinesisDataStream({
    streamName: stream.streamName,
    humanReadableName: "Orders stream",
    alarmFriendlyName: "Stream",
    addWriteProvisionedThroughputExceededAlarm: {
      Warning: { maxRecordsThrottledThreshold: 0, ...alarm(streamFull, { datapoints: 3 }) },
    },
  });
  monitoring.monitorLambdaFunction({
    lambdaFunction: landRecords,
    humanReadableName: "LandRecords",
    alarmFriendlyName: "LandRecords",
    isIterator: true,
    addMaxIteratorAgeAlarm: {
      Critical: { maxAgeInMillis: environment.alarms.iteratorAgeSeconds * 1_000, ...alarm(behind) },
    },
    addFaultCountAlarm: { Warning: { maxErrorCount: 0, ...alarm(failing, { datapoints: 3 }) } },
    addThrottlesCountAlarm: { Warning: { maxErrorCount: 0, ...alarm(throttled, { datapoints: 3 }) } },
  });
  watchOnFailure(scope, monitoring, parts);
}

/**
 * Every object is told of at once, with its key. The alarms of batches count events and go back without a word; that of
 * unreadable ones stands until a run of bronze_to_silver finds none.
 */
function watchOnFailure(scope: Construct, monitoring: MonitoringFacade, parts: LandingParts): void {
  const { environment, landRecords, onFailure, alerts } = parts;
  const rule = new Rule(scope, "BatchGivenUp", {
    description: "A batch of records could not be landed and lies in the on-failure bucket",
    eventPattern: {
      source: ["aws.s3"],
      detailType: ["Object Created"],
      account: [Stack.of(scope).account],
      detail: { bucket: { name: [onFailure.bucketName] } },
    },
    targets: [new SnsTopic(alerts)],
  });
  const givenUp = new Metric({
    namespace: "AWS/Events",
    metricName: "TriggeredRules",
    dimensionsMap: { RuleName: rule.ruleName },
    statistic: Stats.SUM,
    period: minutes(5),
    label: "batches given up",
  });
  monitoring.monitorCustom({
    humanReadableName: "On-failure bucket",
    alarmFriendlyName: "OnFailure",
    metricGroups: [
      {
        title: "Batches given up",
        metrics: [
          {
            alarmFriendlyName: "BatchGivenUp",
            metric: givenUp,
            addAlarm: { Critical: threshold(0, batchGivenUp, { silence: "over" }) },
          },
        ],
      },
      {
        title: "Batches that Lambda could not put there",
        metrics: [
          {
            alarmFriendlyName: "BatchLost",
            metric: batchesLost(landRecords),
            addAlarm: { Critical: threshold(0, batchLost, { silence: "over" }) },
          },
        ],
      },
      {
        title: "Objects that are no batch",
        metrics: [
          {
            alarmFriendlyName: "BatchUnreadable",
            metric: pipelineMetric(environment, "UnreadableBatches", Stats.MAXIMUM),
            addAlarm: { Critical: threshold(0, batchUnreadable, { silence: "unknown" }) },
          },
        ],
      },
    ],
  });
}

const batchesLost = (landRecords: IFunction) =>
  landRecords.metric("DestinationDeliveryFailures", { statistic: Stats.SUM, period: minutes(5) });

const streamFull = {
  happened: "Tills are refused by the stream: it has too few shards for what they send.",
  next: "raise stream.shards in lib/config.ts or choose on-demand, and deploy; the tills send again by themselves.",
};
const behind = {
  happened: "Landing is behind the stream.",
  next: "read the log of LandRecords (./pizza logs --function LandRecords). Errors: mend their cause. None: more shards, or a larger landing.batchRecords.",
};
const failing = {
  happened: "LandRecords fails again and again; nothing is lost while the stream keeps the records.",
  next: "read its log (./pizza logs --function LandRecords); mostly a missing right, a missing key or S3 itself.",
};
const throttled = {
  happened: "LandRecords is held back by the account's limit of concurrent executions.",
  next: "ask AWS to raise the limit, or find the function that uses it up.",
};
const batchGivenUp = {
  happened: "A batch of records was given up and lies in the on-failure bucket, whole.",
  next: "mend what the log of LandRecords names; the next run of bronze_to_silver lands the batch again, then run data_quality and see that the receipt balances.",
};
const batchLost = {
  happened:
    "Lambda could not write a batch that it gave up to the on-failure bucket: its records are gone, unless the stream still holds them.",
  next: "see at once whether the role of LandRecords may write to the bucket and use the key, and mend it; then land again what the stream still holds, as docs/deploy.md says under Running it (land again), and run ./pizza verify, which names what is missing.",
};
const batchUnreadable = {
  happened: "The on-failure bucket holds an object that is no failed batch, and may hold records.",
  next: "see which (./pizza verify names the keys) and who put it there; what is no batch is removed by hand, and one that is cut is brought back from the object's older version.",
};
