import type { EventSink } from "../../pipeline/ports.ts";
import type { Pipeline } from "../operations.ts";
import { runningProcess, type DataDirectory } from "./data-directory.ts";

/** A pipeline in another process, with what only its control server can be asked. */
export type ConnectedPipeline = Pipeline & {
  /** Ends the process. */
  stop(): Promise<void>;
  /** A path of the console's page that is valid once, for ten minutes. */
  console(): Promise<{ path: string }>;
};

/**
 * A local pipeline that runs in another process of this machine, reached through its control server. Every method of
 * `Pipeline` is a call of that name, and every call looks up where the process is now, so it survives a restart.
 */
export function connectPipeline(folder: DataDirectory): ConnectedPipeline {
  async function call<Result>(method: string, given: object = {}, signal?: AbortSignal): Promise<Result> {
    const running = runningProcess(folder);
    if (running === undefined) throw new Error(`no local pipeline runs in ${folder.root}: start it with ./pizza start`);
    const headers = { authorization: `Bearer ${running.token}`, "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(given, bytesAsBase64), ...(signal && { signal }) };
    const asked = fetch(`http://127.0.0.1:${running.port}/${method}`, request);
    const answer = await asked
      .then(async (response) => (await response.json()) as { result: Result } | { error: { message: string } })
      .catch((cause: Error) => {
        throw new NoAnswer(
          `the local pipeline in process ${running.pid} does not answer on port ${running.port}`,
          cause,
        );
      });
    if ("error" in answer) throw new Error(answer.error.message);
    return answer.result;
  }

  const sink: EventSink = {
    putRecords: (records) => call("putRecords", { records }),
    openShards: () => call("openShards"),
  };
  const own = { sink, close: async () => {} };
  return new Proxy(own, {
    get(_, name) {
      // A promise that resolves to this object looks for a method `then`.
      if (typeof name === "symbol" || name === "then") return undefined;
      return name in own
        ? own[name as keyof typeof own]
        : (given?: object, signal?: AbortSignal) => call(name, given, signal);
    },
  }) as unknown as ConnectedPipeline;
}

/** The process of a pipeline runs, but its control server does not answer. */
export class NoAnswer extends Error {
  constructor(message: string, cause: Error) {
    super(`${message}: see ./pizza status and ./pizza logs`, { cause });
  }
}

/** A replacer for JSON.stringify; `this` is the object that holds the value. */
function bytesAsBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const bytes = this[key];
  return bytes instanceof Uint8Array
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
    : value;
}
