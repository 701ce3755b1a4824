import type { Check } from "../../targets/pipeline-api.ts";
import type { Command, Values } from "../options.ts";
import { paint, print, printJson } from "../output.ts";
import { prepareDeployed } from "../with-target.ts";

export const doctor: Command = {
  summary: "check this machine or a deployed pipeline for problems, and say how to fix them",
  examples: ["doctor", "doctor --bucket lake"],
  usage: "doctor [--bucket NAME] [--json] [--dir DIR]",
  options: {
    bucket: { type: "string", about: "check only that this S3 bucket can hold a lake (on AWS or AWS_ENDPOINT_URL_S3)" },
  },
  async run(values) {
    const { json } = values;
    const results = [];
    for (const { name, run } of await checksOf(values)) {
      const result = await run().then(
        (found) => ({ check: name, ok: true, found }),
        (error: Error) => ({ check: name, ok: false, found: error.message }),
      );
      results.push(result);
    }
    if (json) printJson(results);
    else {
      for (const { check, ok, found } of results) {
        print(`${ok ? paint("ok   ", "green") : paint("wrong", "red")}  ${check.padEnd(10)}  ${found}`);
      }
    }
    return results.every(({ ok }) => ok) ? 0 : 1;
  },
};

async function checksOf(values: Values): Promise<Check[]> {
  const { bucket } = values;
  if (typeof bucket === "string") return [await bucketCheck(values, bucket)];
  const checks = values.target === "local" ? await localChecks(values) : await deployedChecks(values);
  return [{ name: "Node.js", run: nodeVersion }, ...checks];
}

async function bucketCheck(values: Values, bucket: string): Promise<Check> {
  const { checkPutIfAbsent } = await import("../../targets/aws/check-deployment.ts");
  prepareDeployed(values);
  const { env } = process;
  const endpoint = env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  if (endpoint === undefined) return { name: "store", run: () => checkPutIfAbsent(bucket) };
  // The AWS client requires a region, which self-hosted stores do not have.
  env["AWS_REGION"] ??= "us-east-1";
  return { name: "store", run: () => checkPutIfAbsent(bucket).catch((error) => explainOwnStore(error, endpoint)) };
}

/** The advice for AWS, to sign in, does not apply to a self-hosted store. */
function explainOwnStore(error: Error, endpoint: string): never {
  const { name = "" } = (error.cause ?? {}) as { name?: string };
  if (!["CredentialsProviderError", "InvalidAccessKeyId", "SignatureDoesNotMatch"].includes(name)) throw error;
  const advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the store's credentials";
  throw new Error(`store at ${endpoint}: credentials are missing or invalid (${name}): ${advice}`, {
    cause: error,
  });
}

async function localChecks(values: Values): Promise<Check[]> {
  const { machineChecks } = await import("../../targets/local/check-machine.ts");
  return machineChecks(values.dir);
}

async function deployedChecks(values: Values): Promise<Check[]> {
  const { deploymentChecks } = await import("../../targets/aws/check-deployment.ts");
  prepareDeployed(values);
  return deploymentChecks(values.env);
}

async function nodeVersion(): Promise<string> {
  const [major] = process.versions.node.split(".").map(Number);
  if (major! < 24) {
    throw new Error(`${process.version} is too old: npm ci installs Node.js 24 and ./pizza runs it`);
  }
  return process.version;
}
