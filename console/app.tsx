import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { openSession, poll, useFeed, type Feed } from "./client.ts";
import { age, clock, count, counted } from "./format.ts";
import { Glyph, Icon, type Mood } from "./parts.tsx";
import { go, useRoute } from "./route.ts";
import { DrillsScreen } from "./screens/drills.tsx";
import { ExplainScreen } from "./screens/explain.tsx";
import { BackupsScreen, CorrectionsScreen, QualityScreen } from "./screens/lists.tsx";
import { OrderScreen } from "./screens/order.tsx";
import { PipelineScreen } from "./screens/pipeline.tsx";
import { QuarantineScreen } from "./screens/quarantine.tsx";
import { QueryScreen } from "./screens/query.tsx";
import { ReceiptScreen } from "./screens/receipt.tsx";
import { RunsScreen } from "./screens/runs.tsx";
import { SalesScreen } from "./screens/sales.tsx";

type IconName = Parameters<typeof Icon>[0]["name"];

const entries: { path: string; name: string; icon: IconName; group?: string; key: string }[] = [
  { path: "", name: "Pipeline", icon: "pipeline", key: "p" },
  { path: "runs", name: "Runs", icon: "runs", key: "u" },
  { path: "receipt", name: "Receipt", icon: "receipt", key: "r" },
  { path: "sales", name: "Sales", icon: "sales", group: "Numbers", key: "s" },
  { path: "corrections", name: "Corrections", icon: "corrections", key: "c" },
  { path: "query", name: "Query", icon: "query", key: "l" },
  { path: "quarantine", name: "Quarantine", icon: "quarantine", group: "Care", key: "q" },
  { path: "quality", name: "Quality", icon: "quality", key: "y" },
  { path: "backups", name: "Backups", icon: "backup", key: "b" },
  { path: "drills", name: "Drills", icon: "drill", key: "d" },
];

function Screen({ feed }: { feed: Feed }) {
  const { screen, params } = useRoute();
  switch (screen) {
    case "receipt":
      return <ReceiptScreen feed={feed} />;
    case "sales":
      return <SalesScreen params={params} />;
    case "explain":
      return <ExplainScreen params={params} />;
    case "order":
      return <OrderScreen params={params} />;
    case "quarantine":
      return <QuarantineScreen params={params} />;
    case "runs":
      return <RunsScreen params={params} feed={feed} />;
    case "query":
      return <QueryScreen params={params} />;
    case "corrections":
      return <CorrectionsScreen />;
    case "quality":
      return <QualityScreen />;
    case "drills":
      return <DrillsScreen feed={feed} />;
    case "backups":
      return <BackupsScreen />;
    default:
      return <PipelineScreen feed={feed} />;
  }
}

/** The state of the receipt, on every screen. */
function sealOf({ live }: Feed): { mood: Mood; word: string; since?: number } {
  if (live === undefined) return { mood: "idle", word: "Not known" };
  const { newest, runningSince } = live.receipt;
  if (runningSince !== undefined) return { mood: "run", word: "Checking" };
  if (newest === undefined) return { mood: "idle", word: "Not checked yet" };
  const since = Date.parse(newest.checkedAt);
  const { findings, records, events, unpublishedDays } = newest.receipt;
  if (findings.length > 0) return { mood: "bad", word: "Does not balance", since };
  if ((live.status.stream.records ?? 0) > records.sent) return { mood: "idle", word: "Not checked since", since };
  if (records.waiting + events.pending + unpublishedDays.length > 0)
    return { mood: "warn", word: "Not in gold yet", since };
  return { mood: "ok", word: "Balanced to the cent", since };
}

function Seal({ feed }: { feed: Feed }) {
  const { mood, word, since } = sealOf(feed);
  return (
    <a class={`seal ${mood === "idle" ? "idle-s" : mood === "run" ? "run-s" : mood}`} href="/console/receipt">
      <Glyph mood={mood} />
      {word}
      {since !== undefined && <span class="since">{age(since)}</span>}
    </a>
  );
}

function Find() {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || isTyping(event)) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const id = box.current!.value.trim();
        if (id !== "") go(`/console/order?id=${encodeURIComponent(id)}`);
      }}
    >
      <Icon name="find" size={14} />
      <input ref={box} type="search" aria-label="Find an order by its id" placeholder="Find an order by its id" />
      <span class="kbd" aria-hidden="true">
        /
      </span>
    </form>
  );
}

function isTyping({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return ctrlKey || metaKey || altKey || (target as Element).closest("input, textarea, select") !== null;
}

/** `g` and then the letter of a screen. */
function useLetters(): void {
  useEffect(() => {
    let isGoing = false;
    const press = (event: KeyboardEvent) => {
      if (isTyping(event)) return;
      const entry = isGoing ? entries.find(({ key }) => key === event.key) : undefined;
      isGoing = event.key === "g";
      if (entry !== undefined) go(`/console/${entry.path}`);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

const themes = ["system", "light", "dark"] as const;

function Theme() {
  const [theme, setTheme] = useState(() => localStorage.getItem("theme") ?? "system");
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  const next = themes[(themes.indexOf(theme as "dark") + 1) % themes.length]!;
  return (
    <button class="theme" type="button" onClick={() => setTheme(next)}>
      <Icon name="theme" size={14} /> Colours: {theme}
    </button>
  );
}

/** What keeps the page from being live, under the top bar. */
function Trouble({ feed }: { feed: Feed }) {
  if (feed.state === "gone")
    return (
      <div class="bad-line" role="alert">
        <Glyph mood="bad" />
        <p>
          <b>The pipeline does not run since {clock(feed.answeredAt)}.</b> Nothing that it acknowledged is lost; below
          is what was known then. Start it with <code class="mono">./pizza console</code>.
        </p>
      </div>
    );
  if (feed.state === "stale")
    return (
      <div class="warn-line" role="status">
        <Glyph mood="warn" />
        <p>
          <b>No new answer for {age(feed.answeredAt).replace(" ago", "")}.</b>{" "}
          {feed.error ?? "Below is what was known then."}
        </p>
      </div>
    );
  return null;
}

function Locked() {
  return (
    <main class="locked">
      <h1>Pizza sales</h1>
      <Glyph mood="idle" size={20} />
      <h2>This page has no key to the pipeline</h2>
      <p>
        The address was used before, is older than ten minutes, or the pipeline was started again. Run{" "}
        <code class="mono">./pizza console</code>, and open the address that it prints.
      </p>
    </main>
  );
}

function App() {
  const feed = useFeed();
  const { screen, title, crumbs } = useRoute();
  const [isOpen, setOpen] = useState(false);
  useLetters();
  useEffect(() => setOpen(false), [screen]);
  useEffect(() => {
    document.title = `${title} · Pizza sales`;
  }, [title]);
  if (feed.state === "locked") return <Locked />;
  const status = feed.live?.status;
  const open = status?.quarantine.events ?? 0;
  const counts: Record<string, { value: number; isWarning: boolean } | undefined> = {
    quarantine: { value: open, isWarning: open > 0 },
    corrections: { value: status?.gold.corrections ?? 0, isWarning: false },
    quality: status?.quality ? { value: status.quality.rules, isWarning: status.quality.errors.length > 0 } : undefined,
  };
  return (
    <div class="app">
      <aside class={`side ${isOpen ? "open" : ""}`} id="side">
        <a class="brand" href="/console/">
          <img src="/console/icon.svg" width="20" height="20" alt="" />
          Pizza sales
        </a>
        <nav class="nav" aria-label="Main">
          {entries.map(({ path, name, icon, group }) => (
            <>
              {group !== undefined && <div class="nav-group">{group}</div>}
              <a key={path} href={`/console/${path}`} aria-current={path === screen ? "page" : undefined}>
                <Icon name={icon} />
                {name}
                {counts[path] !== undefined && (
                  <span class={`count ${counts[path].isWarning ? "warn" : ""}`}>{count(counts[path].value)}</span>
                )}
              </a>
            </>
          ))}
        </nav>
        <div class="home">
          <b>
            <Glyph mood={feed.state === "gone" ? "bad" : feed.state === "live" ? "ok" : "idle"} size={12} />
            Local pipeline
          </b>
          {status !== undefined && (
            <>
              <span>
                {feed.state === "gone" ? "does not run" : "running"}, {counted(status.stream.shards, "shard")}
              </span>
              <span>PostgreSQL on {status.postgres.port}</span>
            </>
          )}
          <Theme />
        </div>
      </aside>
      <div class="main">
        <header class="top">
          <button
            class="btn menu"
            type="button"
            aria-label="Menu"
            aria-expanded={isOpen}
            aria-controls="side"
            onClick={() => setOpen(!isOpen)}
          >
            <Icon name="menu" />
          </button>
          <div class="crumbs">
            {crumbs.map(({ name, href }) => (
              <>
                <a key={href} href={href} class="wide-only">
                  {name}
                </a>
                <span class="sep wide-only" aria-hidden="true">
                  /
                </span>
              </>
            ))}
            <h1>{title}</h1>
          </div>
          <span class="gap" />
          <Find />
          <Seal feed={feed} />
        </header>
        <Trouble feed={feed} />
        <main class={`body ${feed.state === "gone" || feed.state === "stale" ? "is-stale" : ""}`}>
          <Screen feed={feed} />
        </main>
      </div>
    </div>
  );
}

await openSession().catch(() => {});
void poll();
render(<App />, document.querySelector("#app")!);
