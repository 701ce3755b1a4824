import { dirname, join } from "node:path";
import { projectRoot, type LocalStackDirectory } from "../targets/localstack-place.ts";

/** Programs are found as the caller finds them; nothing else of the caller's settings reaches LocalStack or its functions. */
const passed = ["PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SYSTEMROOT"];

/** What LocalStack is started with: offline, on 127.0.0.1, and with all its files below the home. */
export function serverEnvironment(directory: LocalStackDirectory, port: number): Record<string, string> {
  const node = process.execPath;
  return {
    ...pick(process.env, passed),
    PATH: [dirname(node), process.env["PATH"] ?? ""].join(":"),
    HOME: directory.files,
    TMPDIR: directory.temporary,
    FILESYSTEM_ROOT: directory.files,
    // Or LocalStack takes a container of anybody's for its own image, and keeps its files in /var/lib.
    OVERRIDE_IN_DOCKER: "0",
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    GATEWAY_SERVER: "loopback",
    LOCALSTACK_HOST: `localhost:${port}`,
    PROVIDER_OVERRIDE_S3: "host",
    LAMBDA_RUNTIME_EXECUTOR: "process",
    LAMBDA_NODE: node,
    // Types that LocalStack does not know are refused before a deployment, where they can be told from CDK's own helpers.
    CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES: "1",
    KINESIS_LATENCY: "0",
    NODE_OPTIONS: `--require=${JSON.stringify(join(projectRoot, "localstack", "loopback-only.cjs"))}`,
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
    DNS_ADDRESS: "0",
    SQS_ENDPOINT_STRATEGY: "path",
  };
}

/** What a client such as cdk or an SDK needs to reach LocalStack, and nothing by which it could reach AWS. */
export function clientEnvironment(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

/** What a client of the SDK in this process is made with. */
export function clientSettings(endpoint: string) {
  return { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
}

function pick(values: NodeJS.ProcessEnv, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
}
