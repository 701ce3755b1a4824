import { Duration } from "aws-cdk-lib";
import { CfnEventSourceMapping, type Function } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { permissionsOnly } from "../access.ts";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { failedBatches, type Resources } from "../resources.ts";

export interface LandingProps {
  environment: Environment;
  functions: FunctionFactory;
  resources: Resources;
  streamArn: string;
  onFailureBucketArn: string;
}

/** From the stream to bronze. Failed batches go to the on-failure bucket with their data; the next run lands them. */
export class LandingStage extends Construct {
  readonly landRecords: Function;
  readonly mappingId: string;

  constructor(scope: Construct, id: string, props: LandingProps) {
    super(scope, id);
    const { functions, resources } = props;
    this.landRecords = functions.create(this, "LandRecords", {
      description: "Writes the records of one invocation as one bronze object, without parsing them",
      memoryMegabytes: 512,
      timeout: Duration.minutes(1),
      access: [
        resources.lake({ writes: ["bronze/*"] }),
        // Lambda reads the stream with this role, and writes failed batches to the on-failure bucket at aws/lambda/.
        permissionsOnly(resources.stream()),
        // Lambda checks access to the bucket itself before it accepts it as a destination.
        permissionsOnly(resources.onFailure({ writes: failedBatches, lists: "all" })),
      ],
    });
    functions.create(this, "RedriveLanding", {
      description: "Lands the batches in the on-failure bucket again",
      memoryMegabytes: 1_024,
      timeout: Duration.minutes(10),
      access: [
        resources.lake({ writes: ["bronze/*"] }),
        resources.onFailure({ reads: failedBatches, removes: failedBatches, lists: "all" }),
      ],
    });
    this.mappingId = this.addMapping(props).ref;
  }

  /**
   * A batch succeeds as a whole, is bisected, or goes to the on-failure bucket; each shard has one concurrent batch.
   */
  private addMapping({ environment: { landing }, streamArn, onFailureBucketArn }: LandingProps): CfnEventSourceMapping {
    return new CfnEventSourceMapping(this, "Orders", {
      functionName: this.landRecords.functionName,
      eventSourceArn: streamArn,
      startingPosition: "TRIM_HORIZON",
      batchSize: landing.batchRecords,
      maximumBatchingWindowInSeconds: landing.windowSeconds,
      parallelizationFactor: 1,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: landing.retryAttempts,
      maximumRecordAgeInSeconds: landing.maxRecordAgeSeconds,
      destinationConfig: { onFailure: { destination: onFailureBucketArn } },
    });
  }
}
