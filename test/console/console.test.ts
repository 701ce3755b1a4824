import { createRequire } from "node:module";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldKeys } from "../../console/gold.ts";
import { explainedTables } from "../../pipeline/explain/gold-tables.ts";
import { connectPipeline, type ConnectedPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { pizza, temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { findChromium, openBrowser } from "./chromium.ts";

const { dir, remove } = temporaryPipeline();
const images = new URL("../../docs/images/console/", import.meta.url).pathname;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const isAsked = process.env["PIZZA_TEST_CONSOLE"] !== undefined && findChromium() !== undefined;
/** Pictures change with every run, so they are only made on request. */
const isDrawing = process.env["PIZZA_CONSOLE_IMAGES"] !== undefined;

let pipeline: ConnectedPipeline;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let origin: string;
/** What must never happen in a page: an error, a blocked resource, a request elsewhere. */
const faults: string[] = [];

/** Runs a command of the pipeline to its end; returns what it printed. */
async function command(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await pizza(dir, ...words);
  if (code !== 0) throw new Error(`pizza ${words.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

async function one(sql: string): Promise<Record<string, string>> {
  return (await pipeline.query({ sql }))[0] as Record<string, string>;
}

/** The console's own way of writing amounts and counts, worked out here from PostgreSQL's text. */
const grouped = (text: string) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const dollars = (text: string) => `$${grouped(text.split(".")[0]!)}.${text.split(".")[1]!}`;

/** The figure of a layer on the pipeline's screen. */
const station = (name: string, on = page) =>
  on.locator(".station", { has: on.locator(".station-head", { hasText: name }) }).locator(".fig");

/** A key figure of the sales. */
const keyFigure = (name: string) =>
  page.locator(".fig-cell", { has: page.locator(".label", { hasText: name }) }).locator(".val");

async function open(path: string): Promise<void> {
  await page.goto(`${origin}/console/${path}`);
  await settle();
}

/** Waits until the screen has its data. */
async function settle(): Promise<void> {
  await page.locator(".app").waitFor();
  await page.locator(".loading").first().waitFor({ state: "detached", timeout: 120_000 });
  if ((await page.locator(".err").count()) > 0) throw new Error(await page.locator(".err").first().innerText());
}

/** Takes the picture of the page for the documentation. */
async function draw(name: string): Promise<void> {
  const session = await context.newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  await session.detach();
  mkdirSync(images, { recursive: true });
  writeFileSync(join(images, `${name}.webp`), Buffer.from(data, "base64"));
}

/** Forgets answers that say an error in the pipeline's words: where the test provoked it, or killed PostgreSQL. */
function forgiveErrors(): void {
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("500 (Internal Server Error)")));
}

function watch(watched: Page): void {
  watched.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
  });
  watched.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  watched.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/console/`)) faults.push(`request: ${request.url()}`);
  });
}

describe.runIf(isAsked)("the console", () => {
  beforeAll(async () => {
    await command("demo");
    await command("start");
    const faulty = ["produce", "--orders", "400", "--seed", "7", "--rate", "400", "--faults", "all=0.02", "--wait"];
    await command(...faulty);
    pipeline = connectPipeline(dataDirectory(dir));
    const { url } = JSON.parse(await command("console", "--no-open", "--json")) as { url: string };
    origin = new URL(url).origin;
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
    page = await context.newPage();
    watch(page);
    await page.goto(url);
    await settle();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    await pizza(dir, "stop");
    remove();
  });

  it("exchanges the token of the address for a cookie, and keeps neither where a script can read it", async () => {
    expect(page.url()).toBe(`${origin}/console/`);
    expect(await page.evaluate("document.cookie")).toBe("");
    const stranger = await browser.newPage();
    await stranger.goto(`${origin}/console/receipt`);
    await stranger.getByText("This page has no key to the pipeline").waitFor();
    await stranger.close();
  });

  it("pipeline: the counts of every layer are those of the status, and the verdict follows the receipt", async () => {
    await open("");
    const [{ stream, silver }, totals] = await Promise.all([
      pipeline.status(),
      one("select sum(orders)::text as orders, sum(revenue)::text as revenue from gold.daily_sales_summary"),
    ]);
    const figure = (name: string) => station(name).innerText();
    expect(await figure("Stream")).toBe(grouped(String(stream!.records)));
    expect(await figure("Silver")).toBe(grouped(String(silver!.lines)));
    expect(await figure("Gold")).toBe(grouped(totals["orders"]!));
    await page.getByText(`${grouped(totals["orders"]!)} orders sold for ${dollars(totals["revenue"]!)}`).waitFor();
    await page.getByRole("button", { name: "Check every record" }).click();
    // The faults lose a till's number on purpose, so that the receipt does not balance.
    await page.locator(".seal", { hasText: "Does not balance" }).waitFor({ timeout: 200_000 });
    expect(await page.locator(".thread .sum").allInnerTexts()).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining(dollars(totals["revenue"]!)) as string),
    );
  });

  it("receipt: every row of the ledger is a number of the receipt, and each finding is named", async () => {
    const receipt = await pipeline.verify();
    await open("receipt");
    const cells = async (name: string) => {
      const label = page.locator("td:first-child", { hasText: new RegExp(`^${name}$`) });
      return (await page.locator(".ledger tr").filter({ has: label }).locator("td").allInnerTexts()).slice(1, 6);
    };
    const shown = (...values: (number | string)[]) =>
      values.map((value) => (value === "" ? "" : grouped(String(value))));
    const { records, events, expected, gold } = receipt;
    expect(await cells("Sent to the stream")).toEqual(shown(records.sent, "", "", "", ""));
    expect(await cells("Distinct")).toEqual(shown(records.distinct, events.distinct, "", "", ""));
    expect(await cells("Accepted")).toEqual(shown("", events.accepted, "", "", ""));
    expect(await cells("Sent twice by a till")).toEqual(shown("", events.eventDuplicates, "", "", ""));
    const money = (cents: number) => (cents / 100).toFixed(2);
    for (const [name, sales] of [["Bronze says", expected] as const, ["Gold shows", gold] as const]) {
      expect(await cells(name)).toEqual([
        ...shown("", sales.orders, sales.lines, sales.pizzas),
        dollars(money(sales.cents)).slice(1),
      ]);
    }
    expect(receipt.findings.length).toBeGreaterThan(0);
    for (const { sentence } of receipt.findings) await page.getByText(sentence).waitFor();
  });

  it("sales: the figures are SQL on gold, for any span, store and channel", async () => {
    for (const [query, where] of [
      ["", "true"],
      ["?from=2015-10-01&to=2015-12-31", "order_date between '2015-10-01' and '2015-12-31'"],
      ["?to=2015-12-31&store=nyc-01", "order_date <= '2015-12-31' and store_id = 'nyc-01'"],
      ["?store=chi-01&channel=online", "store_id = 'chi-01' and channel = 'online'"],
    ]) {
      await open(`sales${query}`);
      const sums = await one(
        `select sum(revenue)::text as revenue, sum(orders)::text as orders,
           round(sum(revenue) / sum(orders), 2)::text as average,
           round(100 * sum(margin) / sum(revenue), 1)::text as margin
         from gold.revenue_analytics where ${where}`,
      );
      const value = (name: string) => keyFigure(name).innerText();
      expect(await value("Revenue")).toBe(dollars(sums["revenue"]!));
      expect(await value("Orders")).toBe(grouped(sums["orders"]!));
      expect(await value("Average order")).toBe(dollars(sums["average"]!));
      expect(await value("Margin")).toBe(`${sums["margin"]} %`);
    }
    await open("sales?from=2015-10-01&to=2015-12-31");
    const best = await one(
      `select min(name) as name, sum(revenue)::text as revenue from gold.pizza_type_performance
       where month between '2015-10-01' and '2015-12-01' group by pizza_type_id order by sum(revenue) desc limit 1`,
    );
    const first = page.locator("[aria-label='Revenue by pizza'] li").first();
    expect(await first.innerText()).toContain(grouped(best["revenue"]!));
    expect(best["name"]).toContain(await first.locator("span").first().innerText());
    const stores = await pipeline.query({
      sql: `select sum(revenue)::text as revenue from gold.revenue_analytics
        where order_date between '2015-10-01' and '2015-12-31' group by store_id order by sum(revenue) desc`,
    });
    expect(await page.locator("[aria-label=Stores] td .door").allInnerTexts()).toEqual(
      stores.map(({ revenue }) => grouped(String(revenue))),
    );
    // The table behind the chart has the same days.
    await page.getByRole("button", { name: "Show revenue by day as a table" }).click();
    expect(await page.locator(".as-table tbody tr").count()).toBe(
      Number(
        (
          await one(
            "select count(*)::text as days from gold.daily_sales_summary where order_date between '2015-10-01' and '2015-12-31'",
          )
        )["days"],
      ),
    );
  });

  it("explain: a figure leads to rows of gold, a row to its order lines, a line to the bytes that the till sent", async () => {
    await open("sales?from=2015-11-27&to=2015-11-27");
    await keyFigure("Revenue").click();
    await settle();
    const day = await one(
      "select revenue::text as revenue from gold.daily_sales_summary where order_date = '2015-11-27'",
    );
    expect(await page.locator(".answer .num").innerText()).toBe(dollars(day["revenue"]!));
    await page.locator("td .door").first().click();
    await page.getByText("the order lines make the same number").waitFor();
    await settle();
    expect(await page.locator(".answer .num").innerText()).toBe(dollars(day["revenue"]!));

    await open("explain?table=hourly_trends&key=2015-11-27&key=12&column=revenue");
    const shown = (await page.locator("tbody td:last-child").allInnerTexts()).filter((text) => /^[\d.]+$/.test(text));
    const hour = await one(
      "select revenue::text as revenue from gold.hourly_trends where order_date = '2015-11-27' and hour = 12",
    );
    expect(shown.reduce((sum, text) => sum + Math.round(Number(text) * 100), 0)).toBe(
      Math.round(Number(hour["revenue"]) * 100),
    );
    const bytes = page.getByRole("region", { name: "Bytes of the event" });
    await bytes.waitFor();
    const marked = (await bytes.locator("b mark").allInnerTexts()).join("");
    expect(marked).toMatch(/^\{"line_no":1,"pizza_id":"\w+","quantity":\d+,"unit_price":[\d.]+\}$/);
  });

  it("order: found by its id, with its place in every layer; personal data only on request", async () => {
    await open("");
    await page.keyboard.press("/");
    await page.keyboard.type("2015-000003");
    await page.keyboard.press("Enter");
    await page.getByText("This order is in the numbers, once").waitFor();
    const [trace] = await pipeline.trace({ orderId: "2015-000003" });
    const cents = trace!.silver!.lines.reduce((sum, { revenueCents }) => sum + revenueCents, 0);
    expect(await page.locator("tfoot .n").innerText()).toBe((cents / 100).toFixed(2));
    expect(await page.locator("tbody .door").count()).toBe(trace!.gold.length);
    const text = async () =>
      (await page.getByRole("region", { name: "Bytes of the event" }).locator("b").allInnerTexts()).join("");
    const { events } = trace!;
    const { bronzeKeys, shard, sequenceNumber, recordIndex } = events[0]!;
    const place = { bronzeKey: bronzeKeys[0]!, shard, sequenceNumber, recordIndex };
    const decode = ({ bytes }: { bytes: string }) =>
      Buffer.from(bytes, "base64")
        .toString("latin1")
        .replaceAll(/[^\x20-\x7e]/g, "·");
    const [masked, whole] = [decode(await pipeline.event(place)), decode(await pipeline.personalEvent(place))];
    expect(masked).not.toBe(whole);
    expect(await text()).toBe(masked);
    await page.getByRole("button", { name: "Show personal data" }).click();
    await page.getByRole("button", { name: "Show it, and log that it was shown" }).click();
    await expect.poll(text).toBe(whole);
  });

  it("quarantine: an event is mended, tried, sent again and seen in gold, by clicks alone", async () => {
    const open_ = (await pipeline.quarantined()).filter(({ isClosed }) => !isClosed);
    const total = (open_.reduce((sum, { cents }) => sum + (cents ?? 0), 0) / 100).toFixed(2);
    await open("quarantine");
    expect(await page.locator(".bench .bar .gap").first().innerText()).toBe(dollars(total));
    const broken = open_.find(({ reason, orderId }) => reason === "future_time" && orderId !== null)!;
    await open(`quarantine?event=${broken.id}`);
    await page.getByText("Silver would accept it").waitFor();
    expect(await pipeline.heldOrders({ orders: [] })).toEqual([]);
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByRole("button", { name: /^Send this event/ }).click();
    await expect
      .poll(async () => (await pipeline.quarantined()).find(({ id }) => id === broken.id)!.isClosed, {
        timeout: 120_000,
      })
      .toBe(true);
    await open(`order?id=${broken.orderId}`);
    await page.getByText("This order is in the numbers, once").waitFor();
    const field = page.getByLabel("New value");
    const refused = (await pipeline.quarantined()).find(
      ({ isClosed, reason }) => !isClosed && reason === "unknown_pizza",
    )!;
    await open(`quarantine?event=${refused.id}`);
    await field.fill("no_such_pizza");
    await page.getByText("Silver would reject it again").waitFor();
    expect(await page.getByRole("button", { name: "Send again" }).isDisabled()).toBe(true);
  });

  it("runs: the states are those of the definition, and a workflow runs on request", async () => {
    await open("runs?workflow=silver_to_gold");
    const drawing = await page.locator("svg title", { hasText: "as its definition says" }).textContent();
    for (const state of ["Plan windows", "Publish windows", "Customers due?", "Report windows"])
      expect(drawing).toContain(state);
    const { count: before } = await one("select count(*)::text as count from ops.runs where workflow = 'backup'");
    await open("backups");
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.getByRole("button", { name: /^Back up gold/ }).click();
    await expect
      .poll(
        async () => (await one("select count(*)::text as count from ops.runs where workflow = 'backup'"))["count"],
        { timeout: 120_000 },
      )
      .toBe(String(Number(before) + 1));
    await page.getByText("1 backup verified by a test restore").waitFor();
  });

  it("query: runs SQL as the reader, shows errors in place, and cannot write", async () => {
    await open("query");
    await page.getByLabel("SQL").fill("select 6 * 7 as answer");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => page.getByRole("cell").allInnerTexts()).toEqual(["42"]);
    await page.getByLabel("SQL").fill("delete from gold.daily_sales_summary");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText(/read-only transaction|permission denied/).waitFor();
    forgiveErrors();
  });

  it("the page knows the key of every gold table that can be explained", () => {
    expect(goldKeys).toEqual(
      Object.fromEntries(
        Object.entries(explainedTables).map(([name, { key }]) => [name, key.map((column) => column.name)]),
      ),
    );
  });

  const screens: [name: string, path: string][] = [
    ["pipeline", ""],
    ["receipt", "receipt"],
    ["sales", "sales?from=2015-10-01&to=2015-12-31"],
    ["explain", "explain?table=hourly_trends&key=2015-11-27&key=12&column=revenue&line=7"],
    ["order", "order?id=2015-000002"],
    ["quarantine", "quarantine"],
    ["runs", "runs?workflow=silver_to_gold"],
    ["query", "query"],
    ["corrections", "corrections"],
    ["quality", "quality"],
    ["backups", "backups"],
    ["drills", "drills"],
  ];
  for (const theme of ["light", "dark"] as const) {
    it.each(screens)(`%s: nothing serious for axe, no sideways scroll at 360 px, ${theme}`, async (name, path) => {
      await page.emulateMedia({ colorScheme: theme });
      for (const width of [1280, 360, 1920]) {
        await page.setViewportSize({ width, height: 900 });
        await open(path);
        expect([width, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([width, width]);
        if (width === 1920) continue;
        // axe is evaluated by the debugger, which the content security policy of the page does not bind.
        await page.evaluate(axe);
        const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as {
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
        };
        const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
        expect(
          serious.map(
            ({ id, nodes }) =>
              `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`,
          ),
        ).toEqual([]);
        if (!isDrawing) continue;
        if (width === 1280) await draw(`${name}-${theme}`);
        else if (["pipeline", "sales"].includes(name)) await draw(`${name}-360-${theme}`);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    });
  }

  it.each(["A pizza nobody knows", "PostgreSQL is killed"])(
    "drills: %s, by clicks, and the receipt takes it",
    async (name) => {
      await open("drills");
      const drill = page.locator(".exercises li", { hasText: name });
      await drill.getByRole("button", { name: "Start" }).click();
      await drill.getByRole("button", { name: /^Send [\d,]+ orders$/ }).click();
      await page.getByText("Every event is counted once, to the cent").waitFor({ timeout: 200_000 });
      const rows = await page.locator(".drill-grid tbody tr").allInnerTexts();
      expect(rows).toHaveLength(9);
      for (const row of rows) expect(row).toContain("as promised");
      const { revenue } = await one("select sum(revenue)::text as revenue from gold.daily_sales_summary");
      expect(rows.at(-1)).toContain(grouped(revenue!));
      forgiveErrors();
      for (const theme of isDrawing ? (["light", "dark"] as const) : []) {
        await page.emulateMedia({ colorScheme: theme });
        await draw(`drills-${theme}`);
      }
    },
  );

  it("no page has logged an error, broken its content security policy, or asked anybody else", () => {
    expect(faults).toEqual([]);
  });

  it("a killed pipeline says so, and what was known stays readable", async () => {
    await open("");
    const figure = await station("Gold").innerText();
    process.kill(runningProcess(dataDirectory(dir))!.pid, "SIGKILL");
    await page.getByText(/The pipeline does not run since \d\d:\d\d:\d\d UTC/).waitFor();
    expect(await station("Gold").innerText()).toBe(figure);
    if (isDrawing) await draw("killed-dark");
    const { url } = JSON.parse(await command("console", "--no-open", "--json")) as { url: string };
    const fresh = await context.newPage();
    await fresh.goto(url);
    await expect.poll(() => station("Gold", fresh).innerText()).toBe(figure);
  });
});
