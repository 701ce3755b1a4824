import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { operations, type Pipeline } from "../../../targets/operations.ts";
import { startControlServer } from "../../../targets/local/control-server.ts";

const called: string[] = [];
/** What a reading of the status waits for. */
let held: Promise<void> | undefined;
const layers = { stream: {}, landing: {}, setAside: [], silver: {}, quarantine: {}, gold: {}, postgres: {} };
/** A pipeline that notes what it is asked. */
const pipeline = new Proxy(
  {},
  {
    get: (_, name) => async (given: unknown) => {
      called.push(`${String(name)} ${JSON.stringify(given)}`);
      if (name === "status") await held;
      if (name === "status") return { notAnswering: [], ...layers };
      return name === "query" ? [{ orders: "2", pizzas: "3", revenue: "1.50" }] : { findings: [] };
    },
  },
) as Pipeline;
const files = {
  page: "<!doctype html>",
  script: { name: "a.js", text: "1" },
  style: { name: "a.css", text: "" },
  icon: "<svg/>",
};
const logged: string[] = [];

let server: Awaited<ReturnType<typeof startControlServer>>;

beforeAll(async () => {
  const consoleFiles = async () => files;
  const onLog = (line: string) => logged.push(line);
  server = await startControlServer(pipeline, { port: 0, token: "secret", onStop: () => {}, consoleFiles, onLog });
});
afterAll(() => server.close());
beforeEach(() => void called.splice(0));

interface Sent {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Sends a request with exactly these headers: `fetch` would set Host and the Sec-Fetch headers itself. */
function send({ method = "POST", path, headers = {}, body }: Sent): Promise<{
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: server.port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const origin = () => `http://127.0.0.1:${server.port}`;
const own = () => ({ origin: origin(), "content-type": "application/json", "sec-fetch-site": "same-origin" });

async function newToken(): Promise<string> {
  const { text } = await send({ path: "/console", headers: { authorization: "Bearer secret" } });
  return (JSON.parse(text) as { result: { path: string } }).result.path.split("#")[1]!;
}

async function signIn(): Promise<Record<string, string>> {
  const { headers } = await send({ path: "/console/session", headers: own(), body: { token: await newToken() } });
  return { ...own(), cookie: String(headers["set-cookie"]).split(";")[0]! };
}

const pages = ["/console/", "/console/receipt", "/console/a.js", "/console/a.css", "/console/icon.svg"];
const calls = Object.keys(operations).map((name) => `/console/call/${name}`);
const posts = ["/console/session", "/console/live", ...calls];
const control = ["console", "stop", "operations", ...Object.keys(operations)].map((name) => `/${name}`);

describe("a foreign Host header is rejected before anything else", () => {
  const routes = [
    ...[...pages, ...posts, ...control, "/", "/nowhere"].map((path) => ["POST", path] as const),
    ...pages.map((path) => ["GET", path] as const),
    ...["PUT", "DELETE", "OPTIONS", "HEAD"].map((method) => [method, "/console/"] as const),
  ];
  it.each(routes)("%s %s", async (method, path) => {
    const cookie = (await signIn())["cookie"]!;
    called.splice(0);
    for (const host of [`evil.example:${server.port}`, "evil.example", "127.0.0.1:1", "127.0.0.1"]) {
      const headers = { host, origin: `http://${host}`, authorization: "Bearer secret", cookie };
      const body = method === "POST" ? {} : undefined;
      const { status } = await send({ method, path, headers: { ...own(), ...headers }, body });
      expect([host, status]).toEqual([host, 403]);
    }
    expect(called).toEqual([]);
  });
});

it("the names of this machine are accepted", async () => {
  for (const name of ["127.0.0.1", "localhost", "[::1]"]) {
    const { status } = await send({ method: "GET", path: "/console/", headers: { host: `${name}:${server.port}` } });
    expect([name, status]).toEqual([name, 200]);
  }
});

it.each(posts.slice(1))("%s without a valid cookie is rejected", async (path) => {
  for (const cookie of ["", `pizza-console-${server.port}=`, `pizza-console-${server.port}=wrong`]) {
    const { status } = await send({ path, headers: { ...own(), cookie }, body: {} });
    expect([cookie, status]).toEqual([cookie, 401]);
  }
  const bearer = await send({ path, headers: { ...own(), authorization: "Bearer secret" }, body: {} });
  expect(bearer.status).toBe(401);
  expect(called).toEqual([]);
});

it.each(posts)("%s from another site or origin, or not as JSON, is rejected", async (path) => {
  const signed = await signIn();
  const { origin: _, ...withoutOrigin } = signed;
  const foreign: Record<string, string>[] = [
    { ...signed, "sec-fetch-site": "cross-site" },
    { ...signed, "sec-fetch-site": "same-site" },
    { ...signed, "sec-fetch-site": "none" },
    { ...signed, origin: "http://evil.example" },
    { ...signed, origin: `http://127.0.0.1:${server.port + 1}` },
    { ...signed, origin: "null" },
    withoutOrigin,
    { ...signed, "content-type": "text/plain" },
    { ...signed, "content-type": "application/x-www-form-urlencoded" },
  ];
  called.splice(0);
  for (const headers of foreign) {
    const { status } = await send({ path, headers, body: {} });
    expect([headers, status]).toEqual([headers, 403]);
  }
  expect(called).toEqual([]);
});

it("a token works once, for a cookie that scripts cannot read and other sites cannot send", async () => {
  const token = await newToken();
  const first = await send({ path: "/console/session", headers: own(), body: { token } });
  expect(first.status).toBe(200);
  expect(String(first.headers["set-cookie"])).toMatch(
    new RegExp(`^pizza-console-${server.port}=[\\w-]{32}; Path=/console; HttpOnly; SameSite=Strict$`),
  );
  for (const again of [token, "", "wrong"]) {
    const { status, headers } = await send({ path: "/console/session", headers: own(), body: { token: again } });
    expect([again, status, headers["set-cookie"]]).toEqual([again, 401, undefined]);
  }
});

it("the command line's token opens no page, and the page's cookie is no token of the command line", async () => {
  const { status } = await send({ path: "/console" });
  expect(status).toBe(401);
  expect((await send({ path: "/status", headers: await signIn() })).status).toBe(401);
});

it("what changes something or shows a secret must be confirmed, and is logged", async () => {
  const headers = await signIn();
  const given: Record<string, unknown> = {
    run: { workflow: "backup" },
    credentials: {},
    bringBack: {},
    drain: {},
    drill: { drill: "burst" },
    forget: { customerId: "c" },
    resend: { ids: ["a"], edits: [] },
    personalEvent: { bronzeKey: "k", shard: "s", sequenceNumber: "1", recordIndex: 0 },
    putRecords: { records: [] },
    rebuild: { from: "2015-01-01", to: "2015-01-01", source: "silver", isDryRun: true },
  };
  const guarded = Object.entries(operations).filter(([, { access }]) => access !== "reads");
  expect(Object.keys(given).toSorted()).toEqual(guarded.map(([name]) => name).toSorted());
  for (const [name] of guarded) {
    const path = `/console/call/${name}`;
    called.splice(0);
    const unconfirmed = await send({ path, headers, body: { given: given[name] } });
    expect([name, unconfirmed.status, called]).toEqual([name, 409, []]);
    const confirmed = await send({ path, headers, body: { given: given[name], isConfirmed: true } });
    expect([name, confirmed.status, called.length]).toEqual([name, 200, 1]);
    expect(logged.at(-1)).toContain(`console: ${name}`);
  }
});

it("parameters are checked by the operation's schema, and only operations can be called", async () => {
  const headers = await signIn();
  const wrong = await send({ path: "/console/call/trace", headers, body: { given: { orderid: 1 } } });
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("orderId")]);
  for (const name of ["stop", "console", "operations", "close", "sink", "constructor", "nowhere"]) {
    const { status } = await send({ path: `/console/call/${name}`, headers, body: {} });
    expect([name, status]).toEqual([name, 404]);
  }
});

it("every answer forbids inline code, frames and requests elsewhere, and only the named files may be stored", async () => {
  const headers = await signIn();
  const answers = [
    await send({ method: "GET", path: "/console/" }),
    await send({ method: "GET", path: "/console/receipt?x=1" }),
    await send({ path: "/console/live", headers, body: {} }),
    await send({ path: "/console/live", body: {} }),
  ];
  for (const { headers: has } of answers) {
    expect(has["cache-control"]).toBe("no-store");
    expect(has["content-security-policy"]).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(has["content-security-policy"]).not.toMatch(/unsafe|data:|https?:/);
    expect(has["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(has["x-content-type-options"]).toBe("nosniff");
    expect(has["access-control-allow-origin"]).toBeUndefined();
  }
  const script = await send({ method: "GET", path: "/console/a.js" });
  expect([script.text, script.headers["cache-control"]]).toEqual(["1", expect.stringContaining("immutable")]);
  expect((await send({ method: "GET", path: "/console/b.js" })).status).toBe(404);
});

it("pages that ask at the same time share one reading of the pipeline", async () => {
  const headers = await signIn();
  const released = Promise.withResolvers<void>();
  held = released.promise;
  const ask = () => send({ path: "/console/live", headers, body: {} });
  const answers = Promise.all([ask(), ask()]);
  for (const path of pages) await send({ method: "GET", path });
  released.resolve();
  const [one, two] = await answers;
  expect(one.text).toBe(two.text);
  expect(JSON.parse(one.text)).toMatchObject({ result: { totals: { orders: 2, pizzas: 3, revenue: "1.50" } } });
  expect(called.filter((name) => name.startsWith("status")).length).toBeLessThan(2);
});
