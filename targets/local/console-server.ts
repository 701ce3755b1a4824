import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Receipt } from "../../pipeline/domain/receipt.ts";
import { loadCatalog } from "../../adapters/project-files.ts";
import { maskEvent } from "../../pipeline/trace/read-event.ts";
import type { QuarantinedOrder } from "../../pipeline/quarantine/list-quarantined.ts";
import type { Access, Pipeline } from "../operations.ts";
import { answered, type AnsweredStatus } from "../pipeline-api.ts";
import type { DrillReport } from "./drill-kinds.ts";

/** The page's files; the names of script and style hold the hash of their content. */
export interface ConsoleFiles {
  page: string;
  script: { name: string; text: string };
  style: { name: string; text: string };
  /** SVG */
  icon: string;
}

/** What the page asks for once a second. */
export interface Live {
  /** When it was read, ISO 8601. */
  at: string;
  status: AnsweredStatus;
  /** All of gold; US dollars as decimal text. */
  totals: { orders: number; pizzas: number; revenue: string };
  receipt: LastReceipt;
}

/** The newest receipt that a console has asked for in this process. */
export interface LastReceipt {
  /** Since when one is being computed, ISO 8601. */
  runningSince?: string;
  newest?: { receipt: Receipt; checkedAt: string; milliseconds: number };
  /** Why the newest attempt failed. */
  error?: string;
}

/** One method of the control server. */
interface Method {
  access: Access;
  call(given: unknown, signal: AbortSignal): Promise<unknown>;
}

export interface ConsoleRequest {
  request: IncomingMessage;
  response: ServerResponse;
  /** The request's Host header, already checked. */
  host: string;
  path: string;
  readBody(): Promise<string>;
  signal(): AbortSignal;
}

const tokenSeconds = 600;
const liveMs = 900;
const mostSessions = 32;

/** A page without inline code that loads nothing from elsewhere. */
const pageHeaders = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/**
 * Serves the console: its page to any browser of this machine, and data only to a browser that has exchanged a one-time
 * token for a cookie. Operations keep their access class: what changes or shows secrets must be confirmed in the page.
 */
export function createConsole({
  pipeline,
  files,
  parse,
  onLog,
}: {
  pipeline: Pipeline;
  files: () => Promise<ConsoleFiles>;
  /** Finds an operation and checks its parameters; throws an error that names the mistake. */
  parse: (name: string, given: unknown) => (Method & { given: unknown }) | undefined;
  onLog: (line: string) => void;
}) {
  /** One-time tokens with the time at which they expire. */
  const tokens = new Map<string, number>();
  const sessions = new Set<string>();
  const receipt: LastReceipt = {};
  let live: { read: Promise<Live>; readAt: number } | undefined;

  /** Returns the path of the page with a new token that is valid once, for ten minutes. */
  function address(): { path: string } {
    const token = randomBytes(24).toString("base64url");
    tokens.set(token, Date.now() + tokenSeconds * 1000);
    return { path: `/console/#${token}` };
  }

  async function respond(asked: ConsoleRequest): Promise<void> {
    const { request, response, path } = asked;
    const reply = (status: number, body: string, headers: Record<string, string> = {}) =>
      void response.writeHead(status, { ...pageHeaders, ...headers }).end(body);
    const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      reply(status, JSON.stringify(body, bigintAsText), { "content-type": "application/json", ...headers });
    const fail = (status: number, message: string) => json(status, { error: { message } });

    if (request.method === "GET") return await sendFile(path, reply);
    if (request.method !== "POST") return fail(405, "the console answers only GET and POST");
    const refusal = crossSite(asked);
    if (refusal !== undefined) return fail(403, refusal);
    const port = portOf(asked);
    if (path === "/console/session") {
      const { token } = JSON.parse(await asked.readBody()) as { token?: unknown };
      const session = openSession(String(token));
      if (session === undefined) return fail(401, "this address was used before, or is too old: run ./pizza console");
      return json(200, { result: null }, { "set-cookie": cookie(port, session) });
    }
    if (!sessions.has(sessionOf(request, port) ?? "")) return fail(401, "open the console with ./pizza console");
    if (path === "/console/live") return json(200, { result: await readLive() });
    const name = /^\/console\/call\/(\w+)$/.exec(path)?.[1];
    const body = JSON.parse((await asked.readBody()) || "{}") as { given?: unknown; isConfirmed?: unknown };
    const method = name === undefined ? undefined : parse(name, body.given ?? {});
    if (name === undefined || method === undefined) return fail(404, `the console has no ${path}`);
    if (method.access !== "reads" && body.isConfirmed !== true) return fail(409, `${name} must be confirmed first`);
    if (method.access !== "reads") onLog(`console: ${name} ${logged(method.given)}`);
    if (name === "verify") return json(200, { result: await check() });
    const started = Date.now();
    const result = await method.call(method.given, asked.signal());
    if (name === "drill") note((result as DrillReport).receipt, started);
    json(200, { result: shown(name, result) ?? null });
  }

  async function sendFile(
    path: string,
    reply: (status: number, body: string, headers: Record<string, string>) => void,
  ): Promise<void> {
    const { page, script, style, icon } = await files();
    const forever = { "cache-control": "private, max-age=31536000, immutable" };
    if (path === `/console/${script.name}`) {
      return reply(200, script.text, { ...forever, "content-type": "text/javascript; charset=utf-8" });
    }
    if (path === `/console/${style.name}`) {
      return reply(200, style.text, { ...forever, "content-type": "text/css; charset=utf-8" });
    }
    if (path === "/console/icon.svg") return reply(200, icon, { "content-type": "image/svg+xml" });
    if (/\.\w+$/.test(path)) return reply(404, "", { "content-type": "text/plain" });
    reply(200, page, { "content-type": "text/html; charset=utf-8" });
  }

  function openSession(token: string): string | undefined {
    const expires = tokens.get(token) ?? 0;
    tokens.delete(token);
    if (expires < Date.now()) return undefined;
    const session = randomBytes(24).toString("base64url");
    sessions.add(session);
    for (const oldest of sessions) {
      if (sessions.size <= mostSessions) break;
      sessions.delete(oldest);
    }
    return session;
  }

  /** All open pages share one reading, so that more of them cost the pipeline nothing. */
  function readLive(): Promise<Live> {
    if (live === undefined || Date.now() - live.readAt >= liveMs) {
      const reading = { read: load(), readAt: Infinity };
      live = reading;
      reading.read.then(
        () => (reading.readAt = Date.now()),
        () => (live = undefined),
      );
    }
    return live.read;
  }

  async function load(): Promise<Live> {
    // First, because it answers although the warehouse hangs.
    const status = answered(await pipeline.status({ isFrequent: true }));
    const [totals] = await pipeline.query({ sql: totalsSql });
    const { orders, pizzas, revenue } = totals!;
    return {
      at: new Date().toISOString(),
      status,
      totals: { orders: Number(orders), pizzas: Number(pizzas), revenue: String(revenue) },
      receipt,
    };
  }

  /** Computes the receipt; pages that ask meanwhile wait for the same one. */
  let checking: Promise<Receipt> | undefined;
  function check(): Promise<Receipt> {
    checking ??= work().finally(() => (checking = undefined));
    return checking;
  }

  function note(found: Receipt, started: number): void {
    receipt.newest = { receipt: found, checkedAt: new Date().toISOString(), milliseconds: Date.now() - started };
    live = undefined;
  }

  async function work(): Promise<Receipt> {
    const started = Date.now();
    receipt.runningSince = new Date(started).toISOString();
    delete receipt.error;
    try {
      const found = await pipeline.verify();
      note(found, started);
      return found;
    } catch (error) {
      receipt.error = (error as Error).message;
      throw error;
    } finally {
      delete receipt.runningSince;
      live = undefined;
    }
  }

  return { address, respond };
}

const totalsSql = `select coalesce(sum(orders), 0) as orders, coalesce(sum(pizzas), 0) as pizzas,
  coalesce(sum(revenue), 0)::text as revenue from gold.monthly_sales_summary`;

/** Why a POST does not come from the console's own page; undefined if it does. */
function crossSite({ request: { headers }, host }: ConsoleRequest): string | undefined {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return "the request comes from another site";
  if (headers.origin !== `http://${host}`) return "the request comes from another origin";
  const type = headers["content-type"] ?? "";
  return type.split(";")[0]!.trim() === "application/json" ? undefined : "the request is not JSON";
}

/** Cookies are shared between the ports of one host, so the name holds the port. */
function cookie(port: string, session: string): string {
  return `pizza-console-${port}=${session}; Path=/console; HttpOnly; SameSite=Strict`;
}

function portOf({ host }: ConsoleRequest): string {
  return /:(\d+)$/.exec(host)?.[1] ?? "80";
}

function sessionOf({ headers }: IncomingMessage, port: string): string | undefined {
  const name = `pizza-console-${port}=`;
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(name))?.slice(name.length);
}

/** What a log line says of the parameters; never a payload. */
function logged(given: unknown): string {
  return Object.entries(given as object)
    .map(([name, value]) => `${name}=${JSON.stringify(value).slice(0, 80)}`)
    .join(" ");
}

/** Hides personal data in what the list of quarantined events shows; `personalEvent` reads one event in full. */
function shown(name: string, result: unknown): unknown {
  if (name !== "quarantined") return result;
  const catalog = loadCatalog();
  return (result as QuarantinedOrder[]).map(({ payload, payloadBase64, ...event }) => {
    const bytes = payloadBase64 === null ? Buffer.from(payload) : Buffer.from(payloadBase64, "base64");
    return { ...event, payload: maskEvent(bytes, catalog).toString("utf8"), payloadBase64: null };
  });
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
