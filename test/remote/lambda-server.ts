import { startHttpServer, type HttpAnswer, type TestServer } from "../support/http-server.ts";

/** Lambda as far as the command line asks it: where a function logs, and how the event source mapping is. */
export async function startLambdaServer({ logGroup }: { logGroup: string }): Promise<TestServer> {
  return await startHttpServer(async ({ url }): Promise<HttpAnswer> => {
    if (url.pathname.startsWith("/2015-03-31/event-source-mappings/")) {
      return json({ UUID: "mapping", State: "Enabled", LastProcessingResult: "OK" });
    }
    const name = /^\/2015-03-31\/functions\/([^/]+)\/configuration$/.exec(url.pathname)?.[1];
    if (name === "dev-land") return json({ FunctionName: name, LoggingConfig: { LogGroup: logGroup } });
    return json({ FunctionName: name });
  });
}

function json(body: object): HttpAnswer {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
