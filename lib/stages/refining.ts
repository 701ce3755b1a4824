import { Construct } from "constructs";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { minutes } from "../constructs/time.ts";
import { deltaTables, type Resources } from "../resources.ts";

/** From bronze to silver: order lines once each, refused events in the quarantine, small files joined. */
export class Refining extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { functions, resources }: { functions: FunctionFactory; resources: Resources },
  ) {
    super(scope, id);
    functions.create(this, "RefineSilver", {
      description: "Takes new bronze objects into silver, in one commit",
      memoryMegabytes: 1_769,
      timeout: minutes(10),
      reservedConcurrency: 2,
      access: [resources.lake({ reads: ["bronze/*", ...deltaTables], writes: deltaTables }), resources.customerKey()],
    });
    functions.create(this, "PublishQuarantine", {
      description: "Adds to the quarantine what silver's commits refused",
      memoryMegabytes: 1_024,
      timeout: minutes(5),
      access: [resources.lake({ reads: deltaTables, writes: ["quarantine/*"] })],
    });
    functions.create(this, "CompactSilver", {
      description: "Joins silver's small files and clears away what no kept version names",
      memoryMegabytes: 1_769,
      timeout: minutes(15),
      reservedConcurrency: 2,
      access: [resources.lake({ reads: deltaTables, writes: deltaTables, removes: deltaTables })],
    });
  }
}
