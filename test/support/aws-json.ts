import type { HttpAnswer, HttpRequest } from "./http-server.ts";

/** An error response of a test server, with AWS's name for it. */
export class AwsFault extends Error {
  readonly status: number;

  constructor(name: string, { message = `${name} it is`, status = 400 } = {}) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** The operation and input of a request in the AWS JSON protocol. */
export function readJsonRequest({ headers, body }: HttpRequest): { operation: string; input: Record<string, unknown> } {
  const operation = String(headers["x-amz-target"]).split(".").at(-1) ?? "";
  const input: Record<string, unknown> = body.length === 0 ? {} : JSON.parse(body.toString());
  return { operation, input };
}

/** A response in the AWS JSON protocol. */
export function jsonAnswer(output: unknown): HttpAnswer {
  return { headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(output ?? {}) };
}

/** An error in the AWS JSON protocol; anything but an AwsFault is a bug in the test and is shown as such. */
export function jsonFault(error: unknown): HttpAnswer {
  const { name, message, status } =
    error instanceof AwsFault ? error : new AwsFault("TestFailed", { message: String(error) });
  return { ...jsonAnswer({ __type: name, message }), status };
}
