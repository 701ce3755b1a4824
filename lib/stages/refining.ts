import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { deltaTables, type Resources } from "../resources.ts";

/** From bronze to silver: deduplicated order lines, rejected events in the quarantine, and compaction. */
export class RefiningStage extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { functions, resources }: { functions: FunctionFactory; resources: Resources },
  ) {
    super(scope, id);
    functions.create(this, "RefineSilver", {
      description: "Refines new bronze objects into silver in one commit",
      memoryMegabytes: 1_769,
      timeout: Duration.minutes(10),
      reservedConcurrency: 2,
      access: [
        resources.lake({ reads: ["bronze/*", ...deltaTables], writes: deltaTables, removes: deltaTables }),
        resources.customerKey(),
      ],
    });
    functions.create(this, "PublishQuarantine", {
      description: "Adds the events that silver's commits rejected to the quarantine table",
      memoryMegabytes: 1_024,
      timeout: Duration.minutes(5),
      access: [resources.lake({ reads: deltaTables, writes: ["quarantine/*"] })],
    });
    functions.create(this, "CompactSilver", {
      description: "Compacts silver's small files and vacuums files that no retained version needs",
      memoryMegabytes: 1_769,
      timeout: Duration.minutes(15),
      reservedConcurrency: 2,
      access: [resources.lake({ reads: deltaTables, writes: deltaTables, removes: deltaTables })],
    });
  }
}
