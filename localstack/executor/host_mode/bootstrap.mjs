import http from "node:http";
import { loadHandler } from "./load-handler.mjs";

/** Lambda Runtime API client of one function: loads the handler and calls it for one invocation at a time. */

const { AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: taskRoot, _HANDLER: handlerName, ...env } = process.env;
const [hostname, port] = api.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
let requestId = "";

const runtime = "/2018-06-01/runtime";
for (const level of ["debug", "info", "warn", "error", "log"]) prefixConsole(level);
process.on("uncaughtException", (error) => void fail(error, 129));
process.on("unhandledRejection", (reason) => void fail(unhandled(reason), 128));

const handler = await loadHandler(taskRoot, handlerName).catch((error) => fail(error, 1));
for (;;) await handle(await next());

/** The next invocation; exits if LocalStack is gone. */
async function next() {
  const { headers, body } = await request("GET", `${runtime}/invocation/next`).catch(() => process.exit(0));
  requestId = headers["lambda-runtime-aws-request-id"];
  process.env["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"];
  return { event: body, context: contextOf(headers) };
}

async function handle({ event, context }) {
  try {
    const result = await handler(JSON.parse(event), context);
    await request("POST", `${runtime}/invocation/${requestId}/response`, JSON.stringify(result) ?? "null");
  } catch (error) {
    await report(error);
  }
}

async function report(error) {
  const described = describeError(error);
  console.error("Invoke Error", JSON.stringify(described));
  await request("POST", `${runtime}/invocation/${requestId}/error`, JSON.stringify(described));
}

/** Reports a fatal error and exits. */
async function fail(error, code) {
  const described = JSON.stringify(describeError(error));
  console.error(requestId === "" ? "Init Error" : "Uncaught Exception", described);
  const path = requestId === "" ? `${runtime}/init/error` : `${runtime}/invocation/${requestId}/error`;
  // Uses a separate connection: the agent's may be blocked waiting for the next invocation.
  await request("POST", path, described, false).catch(() => {});
  process.exit(code);
}

function unhandled(reason) {
  const error = new Error(String(reason), { cause: reason });
  error.name = "Runtime.UnhandledPromiseRejection";
  return error;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function request(method, path, body = "", useAgent = true) {
  const headers = { "content-length": Buffer.byteLength(body) };
  const options = { hostname, port, path, method, headers, agent: useAgent ? agent : false };
  return new Promise((resolve, reject) => {
    const sent = http.request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Prefixes log lines as Lambda does, with time, request id and level, separated by tabs. */
function prefixConsole(level) {
  const write = console[level].bind(console);
  const name = level === "log" ? "INFO" : level.toUpperCase();
  console[level] = (...args) => write(`${new Date().toISOString()}\t${requestId || "undefined"}\t${name}\t`, ...args);
}

/** A thrown value in Lambda's error format: name, message, and the stack's lines. */
function describeError(thrown) {
  if (!(thrown instanceof Error)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? "").split("\n") };
}
