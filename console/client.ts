import { useEffect, useState } from "preact/hooks";
import type { Live } from "../targets/local/console-server.ts";
import type { OperationName, ParametersOf, ResultOf } from "../targets/operations.ts";

export type { Live } from "../targets/local/console-server.ts";

/** An answer that says why something could not be done, in the pipeline's own words. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function post<Result>(path: string, body: object, signal?: AbortSignal): Promise<Result> {
  const response = await fetch(`/console/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  const answer = (await response.json()) as { result: Result } | { error: { message: string } };
  if ("error" in answer) throw new Refused(response.status, answer.error.message);
  return answer.result;
}

/** Calls an operation of the pipeline that only reads. */
export function ask<Name extends OperationName>(
  name: Name,
  given: ParametersOf<Name>,
  signal?: AbortSignal,
): ResultOf<Name> {
  return post(`call/${name}`, { given }, signal) as ResultOf<Name>;
}

/** Calls an operation that changes something or shows a secret. Only for a handler of a confirmed action. */
export function askConfirmed<Name extends OperationName>(name: Name, given: ParametersOf<Name>): ResultOf<Name> {
  return post(`call/${name}`, { given, isConfirmed: true }) as ResultOf<Name>;
}

/** SQL on gold as the reader; every value is text, a number or null. */
export async function gold<Row>(sql: string): Promise<Row[]> {
  return (await ask("query", { sql })) as Row[];
}

/** A text as a literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Exchanges the one-time token in the address for a cookie, and removes it from the address. */
export async function openSession(): Promise<void> {
  const token = location.hash.slice(1);
  if (!/^[\w-]{20,}$/.test(token)) return;
  history.replaceState(null, "", location.pathname + location.search);
  await post("session", { token }).catch((error: unknown) => {
    // A tab that is opened twice with one address still has its cookie.
    if (!(error instanceof Refused)) throw error;
  });
}

/** What came a second between two readings. */
export interface Rates {
  records: number;
  bytes: number;
  landings: number;
  lines: number;
  orders: number;
}

/** What the page knows of the pipeline at this moment. */
export interface Feed {
  state: "loading" | "live" | "stale" | "gone" | "locked";
  live?: Live;
  /** When the newest answer came, milliseconds since 1970. */
  answeredAt: number;
  /** What came a second at each reading since the page was opened, the oldest first. */
  rates: Rates[];
  /** Why the newest reading failed, although the pipeline answers. */
  error?: string;
}

const pollMs = 1000;
const hiddenMs = 10_000;
const staleMs = 5000;
const mostRates = 60;

let feed: Feed = { state: "loading", answeredAt: Date.now(), rates: [] };
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

function publish(next: Feed): void {
  feed = next;
  for (const listener of listeners) listener();
}

/** Reads the state of the pipeline once a second, in one request; less often while the tab is hidden. */
export async function poll(): Promise<void> {
  clearTimeout(timer);
  try {
    const live = await post<Live>("live", {}, AbortSignal.timeout(30_000));
    publish({ state: "live", live, answeredAt: Date.now(), rates: ratesWith(live) });
  } catch (error) {
    const { live, answeredAt, rates } = feed;
    const known = { ...(live && { live }), answeredAt, rates };
    if (error instanceof Refused && error.status === 401) publish({ ...known, state: "locked" });
    else if (error instanceof Refused) publish({ ...known, state: "stale", error: error.message });
    else publish({ ...known, state: error instanceof TypeError ? "gone" : "stale" });
  }
  timer = setTimeout(() => void poll(), document.hidden ? hiddenMs : pollMs);
}

function ratesWith(live: Live): Rates[] {
  const before = feed.live;
  if (before === undefined || before.at === live.at) return feed.rates;
  const seconds = Math.max((Date.parse(live.at) - Date.parse(before.at)) / 1000, 0.1);
  const rate = (counter: (at: Live) => number | undefined) =>
    Math.max(0, ((counter(live) ?? 0) - (counter(before) ?? 0)) / seconds);
  const rates = {
    records: rate(({ status }) => status.stream.records),
    bytes: rate(({ status }) => status.stream.bytes),
    landings: rate(({ status }) => status.landing.invocations),
    lines: rate(({ status }) => status.silver.lines),
    orders: rate(({ totals }) => totals.orders),
  };
  return [...feed.rates, rates].slice(-mostRates);
}

/** The newest state of the pipeline; renders again with every reading, and every second for the ages. */
export function useFeed(): Feed {
  const [, render] = useState(0);
  useEffect(() => {
    const listener = () => render((times) => times + 1);
    listeners.add(listener);
    const ticking = setInterval(listener, pollMs);
    return () => {
      listeners.delete(listener);
      clearInterval(ticking);
    };
  }, []);
  const isLate = feed.state === "live" && Date.now() - feed.answeredAt > staleMs;
  return isLate ? { ...feed, state: "stale" } : feed;
}

/** The result of an asynchronous question: its newest answer, its error, and whether it is being asked. */
export interface Answer<Result> {
  result?: Result | undefined;
  error?: Error | undefined;
  isAsking: boolean;
  again: () => void;
}

/** Asks when `key` changes, and again on request. An answer stays on screen until the next one is there. */
export function useAnswer<Result>(key: string, question: () => Promise<Result>): Answer<Result> {
  const [state, setState] = useState<{
    key?: string | undefined;
    result?: Result | undefined;
    error?: Error | undefined;
    isAsking: boolean;
  }>({
    isAsking: true,
  });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    setState(({ key: known, result }) => ({ key: known, result, isAsking: true }));
    question().then(
      (result) => isCurrent && setState({ key, result, isAsking: false }),
      (error: Error) => isCurrent && setState({ key, error, isAsking: false }),
    );
    return () => void (isCurrent = false);
    // oxlint-disable-next-line react/exhaustive-deps -- the key names everything that the question depends on
  }, [key, round]);
  const { result, error, isAsking } = state;
  return { result, error, isAsking, again: () => setRound((before) => before + 1) };
}
