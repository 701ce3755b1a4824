import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { openSecrets } from "../../../adapters/secrets.ts";
import { clientEnvironment } from "../../../localstack/environment.ts";
import { openDeployedPipeline, type DeployedPipeline } from "../../../targets/aws/open.ts";
import { breakPublishing, deliver, type PipelineUnderTest } from "./target-under-test.ts";
import { whileKilling } from "./kill-function.ts";

/** The pipeline deployed to a LocalStack on this machine, whose functions are local processes. */
export async function openLocalStack(endpoint: string): Promise<PipelineUnderTest> {
  Object.assign(process.env, clientEnvironment(endpoint));
  const pipeline = await openEmpty("localstack");
  const { databaseUrl, functions } = pipeline.deployment;
  return {
    ...(await common(pipeline)),
    deliverKilling: (name, events) => whileKilling(functions[name]!, () => deliver(pipeline, events)),
    breakPublishing: () => breakPublishing(databaseUrl!),
    breakLanding: () => breakLanding(functions["LandRecords"]!),
  };
}

/** An environment on AWS, with the current credentials. The tests cannot kill its functions or break its database. */
export async function openAws(environment: string): Promise<PipelineUnderTest> {
  return await common(await openEmpty(environment));
}

/** Points the function at a lake that does not exist. */
async function breakLanding(FunctionName: string): Promise<() => Promise<void>> {
  const lambda = new LambdaClient({});
  const { Environment: { Variables } = {} } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const configure = async (variables: Record<string, string>) => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: variables } }));
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName });
  };
  await configure({ ...Variables, LAKE_BUCKET: "a-lake-that-is-not-there" });
  return () => configure(Variables!);
}

async function openEmpty(environment: string): Promise<DeployedPipeline> {
  const pipeline = await openDeployedPipeline({ environment });
  if ((await pipeline.status({ seconds: 60 })).silver!.version < 0) return pipeline;
  await pipeline.close();
  throw new Error(`environment ${environment} holds orders already: give the scenarios one that was just deployed`);
}

async function common(pipeline: DeployedPipeline): Promise<PipelineUnderTest> {
  const { key } = await openSecrets().read(pipeline.deployment.customerKeySecretArn);
  return { pipeline, customerSecret: key!, close: () => pipeline.close() };
}
