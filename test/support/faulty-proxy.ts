import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../producer/random.ts";
import { startHttpServer, type HttpAnswer, type HttpRequest, type TestServer } from "./http-server.ts";

/** The possible effects of a network and a busy service on a request. */
export const networkFaults = [
  /** The service rejects it with its own error; nothing is done. */
  "rejected",
  /** The connection breaks before the service receives it. */
  "reset",
  /** It is done, and the connection breaks before the response. */
  "answer lost",
  /** It is done, and the response is truncated. */
  "answer cut",
  /** It is done immediately, and the response is sent after the client has timed out. */
  "answer late",
  /** It is done after the client has timed out and possibly retried. */
  "done late",
] as const;

export type NetworkFault = (typeof networkFaults)[number];

export interface FaultyProxy extends TestServer {
  /** The number of requests with each fault. */
  met: Record<NetworkFault, number>;
  /** Stops injecting faults. */
  calm(): void;
  /** Resolves when no request is in progress, including late ones. */
  idle(): Promise<void>;
}

export interface FaultyProxyOptions {
  /** The server behind it. */
  target: string;
  /** The service's error responses. */
  rejections: readonly HttpAnswer[];
  /** Longer than the client's timeout, milliseconds. */
  lateMs: number;
  /** Share of requests with a fault, 0 to 1. */
  share?: number;
  seed?: number;
}

/** A proxy that injects faults into a share of the requests, each kind about equally often. */
export async function startFaultyProxy({
  target,
  rejections,
  lateMs,
  share = 0.3,
  seed = 1,
}: FaultyProxyOptions): Promise<FaultyProxy> {
  const random = createRandom("network", seed);
  const met = Object.fromEntries(networkFaults.map((fault) => [fault, 0])) as Record<NetworkFault, number>;
  const underWay = new Set<Promise<unknown>>();
  let deck: NetworkFault[] = [];
  let isCalm = false;

  function chooseFault(): NetworkFault | undefined {
    if (isCalm || !random.chance(share)) return undefined;
    if (deck.length === 0) deck = random.shuffle(networkFaults);
    const fault = deck.pop()!;
    met[fault]++;
    return fault;
  }

  async function handle(request: HttpRequest): Promise<HttpAnswer | undefined> {
    const fault = chooseFault();
    if (fault === "rejected") return random.pick(rejections);
    if (fault === "reset") return request.reset() as undefined;
    if (fault === "done late") await sleep(lateMs);
    const answer = await forward(target, request);
    if (fault === "answer late") await sleep(lateMs);
    if (fault === "answer lost") return request.reset() as undefined;
    return fault === "answer cut" ? cut(answer, request) : answer;
  }

  const server = await startHttpServer((request) => {
    const work = handle(request).finally(() => underWay.delete(work));
    underWay.add(work);
    return work;
  });
  return {
    ...server,
    met,
    calm: () => void (isCalm = true),
    async idle() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

const hopByHop = ["host", "connection", "content-length", "expect", "transfer-encoding", "keep-alive"];

async function forward(target: string, { method, url, headers, body }: HttpRequest): Promise<HttpAnswer> {
  const passed = Object.entries(headers).filter(([name]) => !hopByHop.includes(name)) as [string, string][];
  const hasBody = method !== "GET" && method !== "HEAD";
  const answer = await fetch(`${target}${url.pathname}${url.search}`, {
    method,
    headers: passed,
    ...(hasBody && { body: new Uint8Array(body) }),
  });
  const back = [...answer.headers].filter(([name]) => !hopByHop.includes(name));
  return { status: answer.status, headers: Object.fromEntries(back), body: new Uint8Array(await answer.arrayBuffer()) };
}

function cut(answer: HttpAnswer, { reset }: HttpRequest): HttpAnswer {
  const body = Buffer.from(answer.body as Uint8Array);
  setTimeout(reset, 20);
  return {
    ...answer,
    // One byte more than is sent, so that a response without a body is truncated too.
    headers: { ...answer.headers, "content-length": String(body.length + 1) },
    body: body.subarray(0, body.length / 2),
  };
}
