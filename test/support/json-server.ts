import { AwsFault, jsonAnswer, jsonFault, readJsonRequest } from "./aws-json.ts";
import { startHttpServer, type HttpAnswer, type HttpRequest, type TestServer } from "./http-server.ts";

/** An operation's response to an input; text is sent unchanged, and a thrown AwsFault becomes an error. */
export type Answer = (input: Record<string, unknown>) => unknown;

export interface JsonServer extends TestServer {
  /** The requests so far. */
  calls: { operation: string; input: Record<string, unknown> }[];
}

/**
 * A server with prepared responses by operation (`GetSecretValue`, `StartExecution`, `Publish`). It supports AWS JSON
 * (Secrets Manager, Step Functions) and AWS Query (SNS, CloudFormation: inputs are flat, responses are flat objects or
 * XML as text).
 */
export async function startJsonServer({ answers }: { answers: Record<string, Answer> }): Promise<JsonServer> {
  const calls: JsonServer["calls"] = [];
  const answerTo = (operation: string, input: Record<string, unknown>): unknown => {
    calls.push({ operation, input });
    const answer = answers[operation];
    if (!answer) throw new AwsFault("UnknownOperationException", { message: `no answer is prepared for ${operation}` });
    return answer(input);
  };
  const server = await startHttpServer(async (request) => {
    if (request.headers["x-amz-target"] === undefined) return answerQuery(request, answerTo);
    try {
      const { operation, input } = readJsonRequest(request);
      const output = await answerTo(operation, input);
      return typeof output === "string" ? { body: output } : jsonAnswer(output);
    } catch (error) {
      return jsonFault(error);
    }
  });
  return { ...server, calls };
}

async function answerQuery(
  { body }: HttpRequest,
  answerTo: (operation: string, input: Record<string, unknown>) => unknown,
): Promise<HttpAnswer> {
  const { Action: operation = "", ...input } = Object.fromEntries(new URLSearchParams(body.toString()));
  try {
    const output = await answerTo(operation, input);
    return {
      headers: { "content-type": "text/xml" },
      body: typeof output === "string" ? output : xml(operation, output),
    };
  } catch (error) {
    const { name, message, status } =
      error instanceof AwsFault ? error : new AwsFault("TestFailed", { message: String(error) });
    const fault = `<Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error>`;
    return { status, headers: { "content-type": "text/xml" }, body: `<ErrorResponse>${fault}</ErrorResponse>` };
  }
}

function xml(operation: string, output: unknown): string {
  const members = Object.entries(output ?? {}).map(([name, value]) => `<${name}>${String(value)}</${name}>`);
  const result = `<${operation}Result>${members.join("")}</${operation}Result>`;
  return `<${operation}Response>${result}<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></${operation}Response>`;
}
