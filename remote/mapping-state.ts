import { GetEventSourceMappingCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";

/** How the event source mapping of landing is: `Enabled; OK`, or what Lambda says is wrong. */
export async function mappingState(
  { landingMappingId, region }: Pick<Deployment, "landingMappingId" | "region">,
  lambda: LambdaClient,
): Promise<string> {
  if (landingMappingId === undefined) return "no event source mapping";
  const call = lambda.send(new GetEventSourceMappingCommand({ UUID: landingMappingId }));
  const { State, LastProcessingResult } = await explained(call, {
    what: "the event source mapping of landing",
    region,
  });
  return [State, LastProcessingResult].filter(Boolean).join("; ");
}
