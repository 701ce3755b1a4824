import type { OutgoingRecord } from "../lambdas/ports.ts";
import type { Home } from "./home-api.ts";
import { runningProcess, type HomeFolder } from "./home-folder.ts";

/**
 * A home that runs in another process of this machine, reached through its control server. Every call looks up where the
 * home is now: after a restart the next one finds it again.
 */
export function connectHome(folder: HomeFolder): Home & { stop(): Promise<void> } {
  async function call<Result>(method: string, body: unknown = {}): Promise<Result> {
    const running = runningProcess(folder);
    if (running === undefined) throw new Error(`no home runs in ${folder.root}: start it with pizza start`);
    const headers = { authorization: `Bearer ${running.token}`, "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${running.port}/${method}`, request).catch((cause: Error) => {
      throw new Error(`the home in process ${running.pid} does not answer on port ${running.port}: see pizza logs`, {
        cause,
      });
    });
    const answer = (await response.json()) as { result: Result } | { error: { message: string } };
    if ("error" in answer) throw new Error(answer.error.message);
    return answer.result;
  }

  return {
    sink: {
      putRecords: (records) => call("putRecords", { records: records.map(toWire) }),
      openShards: () => call("openShards"),
    },
    status: () => call("status"),
    run: (workflow) => call("run", { workflow }),
    drain: () => call("drain"),
    verify: () => call("verify"),
    refused: () => call("refused"),
    heldOrders: (orderIds) => call("heldOrders", { orderIds }),
    forget: (customerId) => call("forget", { customerId }),
    trace: (orderId) => call("trace", { orderId }),
    explain: (request) => call("explain", request),
    corrections: (asked) => call("corrections", asked),
    quality: (options) => call("quality", options),
    profile: () => call("profile"),
    query: (sql, options) => call("query", { sql, ...options }),
    credentials: () => call("credentials"),
    backups: () => call("backups"),
    rebuild: (request) => call("rebuild", request),
    stop: () => call("stop"),
    close: async () => {},
  };
}

function toWire({ data, ...keys }: OutgoingRecord) {
  return { ...keys, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
}
