import { dirname, join } from "node:path";
import { projectRoot, type LocalStackDirectory } from "../targets/localstack-directory.ts";

/** The only variables that LocalStack and its functions inherit from the caller. */
const passed = ["PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SYSTEMROOT"];

/** Environment of the LocalStack process: offline, on 127.0.0.1, with all its files below the data folder. */
export function serverEnvironment(directory: LocalStackDirectory, port: number): Record<string, string> {
  const node = process.execPath;
  return {
    ...pick(process.env, passed),
    PATH: [dirname(node), process.env["PATH"] ?? ""].join(":"),
    HOME: directory.files,
    TMPDIR: directory.temporary,
    FILESYSTEM_ROOT: directory.files,
    // Otherwise LocalStack takes any surrounding container for its own image, and stores its files in /var/lib.
    OVERRIDE_IN_DOCKER: "0",
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    GATEWAY_SERVER: "loopback",
    LOCALSTACK_HOST: `localhost:${port}`,
    PROVIDER_OVERRIDE_S3: "host",
    LAMBDA_RUNTIME_EXECUTOR: "process",
    LAMBDA_NODE: node,
    // Unsupported types are rejected before a deployment instead, where CDK's own helpers can be excepted.
    CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES: "1",
    KINESIS_LATENCY: "0",
    NODE_OPTIONS: `--require=${JSON.stringify(join(projectRoot, "localstack", "loopback-only.cjs"))}`,
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
    DNS_ADDRESS: "0",
    SQS_ENDPOINT_STRATEGY: "path",
  };
}

/** Environment of clients such as cdk and SDKs: they reach LocalStack and cannot reach AWS. */
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

/** Configuration of SDK clients in this process. */
export function clientSettings(endpoint: string) {
  return { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
}

function pick(values: NodeJS.ProcessEnv, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
}
