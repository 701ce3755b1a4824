import { startHttpServer, type HttpAnswer, type TestServer } from "../../support/http-server.ts";

/** The part of Lambda that the command line uses: log groups, the event source mapping's state, and invocations. */
export async function startLambdaServer({
  logGroup,
  invoke = {},
}: {
  logGroup: string;
  /** Functions that can be called, by name. */
  invoke?: Record<string, (input: object) => Promise<object>>;
}): Promise<TestServer> {
  return await startHttpServer(async ({ url, body }): Promise<HttpAnswer> => {
    if (url.pathname.startsWith("/2015-03-31/event-source-mappings/")) {
      return json({ UUID: "mapping", State: "Enabled", LastProcessingResult: "OK" });
    }
    const called = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url.pathname)?.[1];
    if (called !== undefined) return await answerCall(invoke[called]!, JSON.parse(body.toString()) as object);
    const name = /^\/2015-03-31\/functions\/([^/]+)\/configuration$/.exec(url.pathname)?.[1];
    if (name === "dev-land") return json({ FunctionName: name, LoggingConfig: { LogGroup: logGroup } });
    return json({ FunctionName: name });
  });
}

async function answerCall(call: (input: object) => Promise<object>, input: object): Promise<HttpAnswer> {
  try {
    return json(await call(input));
  } catch (error) {
    const { headers, ...failed } = json({ errorType: "Error", errorMessage: (error as Error).message });
    return { ...failed, headers: { ...headers, "x-amz-function-error": "Unhandled" } };
  }
}

function json(body: object): HttpAnswer {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
