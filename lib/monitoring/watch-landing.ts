import { Duration, Stack } from "aws-cdk-lib";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { Rule } from "aws-cdk-lib/aws-events";
import { SnsTopic } from "aws-cdk-lib/aws-events-targets";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import type { Construct } from "constructs";
import { happened } from "../../pipeline/domain/alarm-texts.ts";
import type { Environment } from "../config.ts";
import { alarm, pipelineMetric, threshold } from "./alarm.ts";

export interface LandingParts {
  environment: Environment;
  stream: IStream;
  landRecords: IFunction;
  onFailure: IBucket;
  alerts: ITopic;
}

/** Alarms on landing: iterator age, errors, throttling and batches in the on-failure bucket. */
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
 * Every object is reported immediately with its key. The alarms on batches count events and return to OK without
 * notification; the alarm on unreadable objects lasts until a run of bronze_to_silver finds none.
 */
function watchOnFailure(scope: Construct, monitoring: MonitoringFacade, parts: LandingParts): void {
  const { environment, landRecords, onFailure, alerts } = parts;
  const rule = new Rule(scope, "BatchGivenUp", {
    description: "A batch of records could not be landed and is in the on-failure bucket",
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
    period: Duration.minutes(5),
    label: "batches in the on-failure bucket",
  });
  monitoring.monitorCustom({
    humanReadableName: "On-failure bucket",
    alarmFriendlyName: "OnFailure",
    metricGroups: [
      {
        title: "Batches sent to the on-failure bucket",
        metrics: [
          {
            alarmFriendlyName: "BatchGivenUp",
            metric: givenUp,
            addAlarm: { Critical: threshold(0, batchGivenUp, { silence: "over" }) },
          },
        ],
      },
      {
        title: "Batches that Lambda could not write there",
        metrics: [
          {
            alarmFriendlyName: "BatchLost",
            metric: batchesLost(landRecords),
            addAlarm: { Critical: threshold(0, batchLost, { silence: "over" }) },
          },
        ],
      },
      {
        title: "Unreadable objects",
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
  landRecords.metric("DestinationDeliveryFailures", { statistic: Stats.SUM, period: Duration.minutes(5) });

const streamFull = {
  happened: "The stream throttles the tills: it has too few shards.",
  next: "raise stream.shards in lib/config.ts or choose on-demand, and deploy; the tills retry automatically.",
};
const behind = {
  happened: happened.Behind,
  next: "read the log of LandRecords (./pizza logs --function LandRecords). If there are errors, fix their cause; otherwise add shards or raise landing.batchRecords.",
};
const failing = {
  happened: "LandRecords fails repeatedly; nothing is lost while the stream retains the records.",
  next: "read its log (./pizza logs --function LandRecords); usual causes are a missing permission, a missing key or S3 itself.",
};
const throttled = {
  happened: "LandRecords is throttled by the account's limit of concurrent executions.",
  next: "request a higher limit from AWS, or find the function that exhausts it.",
};
const batchGivenUp = {
  happened: happened.BatchGivenUp,
  next: "fix the cause in the log of LandRecords. The next run of bronze_to_silver lands the batch again; then run data_quality and check that the receipt balances.",
};
const batchLost = {
  happened:
    "Lambda could not write a failed batch to the on-failure bucket: its records are lost unless the stream still retains them.",
  next: "check immediately that the role of LandRecords may write to the bucket and use the key. Then land again what the stream still retains (docs/deploy.md, Running it, land again), and run ./pizza verify, which lists what is missing.",
};
const batchUnreadable = {
  happened: "The on-failure bucket contains an object that is not a valid failed batch and may contain records.",
  next: "find the object (./pizza verify lists the keys) and its origin. Delete an object that is not a batch by hand; restore a truncated batch from the object's earlier version.",
};
