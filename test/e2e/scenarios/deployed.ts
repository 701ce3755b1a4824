import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { openSecrets } from "../../../adapters/secrets.ts";
import { clientEnvironment } from "../../../localstack/environment.ts";
import { openRemoteHome, type RemoteHome } from "../../../targets/aws/open.ts";
import { breakPublishing, deliver, type HomeUnderTest } from "./home-under-test.ts";
import { whileKilling } from "./kill-function.ts";

/** The home deployed to a LocalStack on this machine, whose functions are processes here. */
export async function openLocalStack(endpoint: string): Promise<HomeUnderTest> {
  Object.assign(process.env, clientEnvironment(endpoint));
  const home = await openEmpty("localstack");
  const { databaseUrl, functions } = home.deployment;
  return {
    ...(await common(home)),
    deliverKilling: (name, events) => whileKilling(functions[name]!, () => deliver(home, events)),
    breakPublishing: () => breakPublishing(databaseUrl!),
    breakLanding: () => breakLanding(functions["LandRecords"]!),
  };
}

/** An environment on AWS, as the credentials at hand. Nobody can kill its functions or break its database from here. */
export async function openAws(environment: string): Promise<HomeUnderTest> {
  return await common(await openEmpty(environment));
}

/** Sends the function to a lake that is not there. */
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

async function openEmpty(environment: string): Promise<RemoteHome> {
  const home = await openRemoteHome({ environment });
  if ((await home.status()).silver.version < 0) return home;
  await home.close();
  throw new Error(`environment ${environment} holds orders already: give the scenarios one that was just deployed`);
}

async function common(home: RemoteHome): Promise<HomeUnderTest> {
  const { key } = await openSecrets().read(home.deployment.customerKeySecretArn);
  return { home, customerSecret: key!, close: () => home.close() };
}
