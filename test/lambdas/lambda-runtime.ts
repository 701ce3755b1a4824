/**
 * The child process of a test's Lambda function: loads a handler the way Lambda's Node.js runtime does (its
 * UserFunction.js: the module's name ends at the first dot) and calls it with each event that the parent sends.
 */
import { existsSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { _HANDLER: name = "", LAMBDA_TASK_ROOT: root = "", AWS_LAMBDA_FUNCTION_NAME: functionName = "" } = process.env;
const [, folder, module, path] = /^(.*?)([^/.]*)\.([^/]*)$/.exec(name) ?? [];

// Not with a variable, which Lambda would not set; written now, because the parent kills this process with a signal.
const [, , compileCache] = process.argv;
if (compileCache !== undefined) enableCompileCache(compileCache);
let calls = 0;
const handler = await load();
flushCompileCache();
process.on("message", (event) => void call(event));
process.send!({ ready: true });

async function load(): Promise<(event: unknown, context: object) => Promise<unknown>> {
  const file = join(root, folder!, `${module}.mjs`);
  if (!existsSync(file)) throw new Error(`Runtime.ImportModuleError: cannot find module '${join(folder!, module!)}'`);
  const loaded: unknown = await import(pathToFileURL(file).href);
  const found = path!.split(".").reduce((nested, key) => (nested as Record<string, unknown>)?.[key], loaded);
  if (typeof found !== "function") throw new Error(`Runtime.HandlerNotFound: ${name} is undefined or not exported`);
  return found as Awaited<ReturnType<typeof load>>;
}

async function call(event: unknown): Promise<void> {
  const context = {
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
    memoryLimitInMB: "1024",
    awsRequestId: `request-${(calls += 1)}`,
    getRemainingTimeInMillis: () => 60_000,
  };
  let answer: object;
  try {
    answer = { result: JSON.stringify(await handler(event, context)) };
  } catch (error) {
    const { name: errorType, message: errorMessage, stack, ...others } = error as Error;
    const line = { errorType, errorMessage, ...others, stack: stack?.split("\n") };
    // As in Lambda's runtime, all properties of the error end up in the log.
    console.log(`${new Date().toISOString()}\t${context.awsRequestId}\tERROR\tInvoke Error\t${JSON.stringify(line)}`);
    answer = { error: { errorType, errorMessage } };
  }
  const used = Math.ceil((process.resourceUsage().maxRSS * 1024) / 1e6);
  console.log(`REPORT RequestId: ${context.awsRequestId}\tMax Memory Used: ${used} MB`);
  // Both pipes are written synchronously and in order, so a reader at this point has read everything from the call.
  console.log(`END RequestId: ${context.awsRequestId}`);
  console.error(`END RequestId: ${context.awsRequestId}`);
  process.send!(answer);
}
