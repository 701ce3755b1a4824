import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

const icons = {
  pipeline:
    "M4.6 8A1.8 1.8 0 1 1 1 8a1.8 1.8 0 0 1 3.6 0ZM9.8 8a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0ZM15 8a1.8 1.8 0 1 1-3.6 0A1.8 1.8 0 0 1 15 8ZM4.6 8h1.6M9.8 8h1.6",
  runs: "M2 3.5h7M5 8h9M2 12.5h5",
  receipt: "M3.5 1.8h9v12.4l-1.8-1.2-1.35 1.2L8 13l-1.35 1.2L5.3 13l-1.8 1.2ZM6 5.2h4M6 8h4",
  sales: "M2 14V8.5M6 14V3M10 14V6M14 14v-3.5",
  corrections: "M2 13.5h12M3 9.8 10.2 2.6l2.2 2.2L5.2 12H3Z",
  query: "m2.5 4.5 3.5 3.5-3.5 3.5M8 12.5h5.5",
  quarantine: "M2 9.5h3.4l1 2h3.2l1-2H14M2 9.5 4 3h8l2 6.5V13H2Z",
  quality: "m2 4 1.2 1.2L5.4 3M2 9l1.2 1.2L5.4 8M8 4.4h6M8 9.4h6M8 13.4h4",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  find: "M11.2 7a4.2 4.2 0 1 1-8.4 0 4.2 4.2 0 0 1 8.4 0ZM10.2 10.2l3.3 3.3",
  till: "M3 6.5h10v7H3ZM5 6.5V2.3h6v4.2M5.6 9.4h.01M8 9.4h.01M10.4 9.4h.01M5.5 11.6h5",
  stream:
    "M1.5 5c2 0 2-1.8 4.2-1.8S8 5 10 5s2-1.8 4.5-1.8M1.5 9c2 0 2-1.8 4.2-1.8S8 9 10 9s2-1.8 4.5-1.8M1.5 13c2 0 2-1.8 4.2-1.8S8 13 10 13s2-1.8 4.5-1.8",
  send: "M2 8h10.5M8.5 4l4 4-4 4",
  theme: "M8 2.2a5.8 5.8 0 1 0 0 11.6ZM8 2.2a5.8 5.8 0 0 1 0 11.6",
  drill: "M9.2 1.5 3.5 9h4l-.8 5.5L12.5 7h-4Z",
  backup: "M2.5 4.5h11v9h-11ZM5.5 4.5v-2h5v2M8 7v4M6.2 9.4 8 11.2l1.8-1.8",
} as const;

export function Icon({ name, size = 16 }: { name: keyof typeof icons; size?: number }) {
  return (
    <svg
      class="ic"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={icons[name]} />
    </svg>
  );
}

export type Mood = "ok" | "warn" | "bad" | "run" | "idle";

/** A state by the shape of its glyph; the word beside it says the same. */
export function Glyph({ mood, size = 14 }: { mood: Mood; size?: number }) {
  const shapes = {
    ok: (
      <>
        <circle class="ok-mark" cx="7" cy="7" r="6" />
        <path class="glyph-cut" d="M4.2 7.2 6.2 9.2 9.8 5.2" />
      </>
    ),
    warn: (
      <>
        <path class="w-mark" d="M7 1.2 13.4 12.6H.6Z" />
        <path class="warn-bang" d="M7 5.2v3.6M7 10.4v.9" stroke-width="1.5" stroke-linecap="round" />
      </>
    ),
    bad: (
      <>
        <path class="bad-mark" d="M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5Z" />
        <path class="glyph-cut" d="m4.8 4.8 4.4 4.4M9.2 4.8 4.8 9.2" />
      </>
    ),
    run: <path class="glyph-run" d="M7 1.5A5.5 5.5 0 1 1 1.5 7" />,
    idle: <circle class="glyph-idle" cx="7" cy="7" r="5" />,
  };
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" aria-hidden="true">
      {shapes[mood]}
    </svg>
  );
}

/** The grey tick of a place where nothing is stuck. */
export function Tick() {
  return (
    <svg width="12" height="12" viewBox="0 0 14 14" aria-hidden="true">
      <path class="tick" d="M2.6 7.4 5.6 10.2 11.4 4" />
    </svg>
  );
}

export function Coin({ metal }: { metal: "bronze" | "silver" | "gold" }) {
  return (
    <svg class="coin" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <circle class={`coin-${metal}`} cx="7" cy="7" r="6" />
      <circle class="coin-ring" cx="7" cy="7" r="3.4" />
    </svg>
  );
}

export function State({ mood, children }: { mood: Mood; children: ComponentChildren }) {
  return (
    <span class={`st ${mood}`}>
      <Glyph mood={mood} />
      <span>{children}</span>
    </span>
  );
}

/** What is true, as a sentence, with its evidence and the actions of the screen. */
export function Verdict({
  title,
  children,
  actions,
}: {
  title: ComponentChildren;
  children?: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <div class="verdict">
      <div>
        <h2>{title}</h2>
        {children !== undefined && <p>{children}</p>}
      </div>
      <span class="gap" />
      {actions !== undefined && <span class="btns">{actions}</span>}
    </div>
  );
}

export function Section({
  title,
  note,
  aside,
  children,
  label,
}: {
  title: ComponentChildren;
  note?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
  label?: string;
}) {
  return (
    <section class="sec" aria-label={label ?? (typeof title === "string" ? title : undefined)}>
      <div class="sec-head">
        <h2>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        {aside !== undefined && <span class="gap">{aside}</span>}
      </div>
      {children}
    </section>
  );
}

/** The sentence that the command line gives, in place, with a way to try again. */
export function Failure({ error, again }: { error: Error; again?: () => void }) {
  return (
    <div class="err" role="alert">
      <b>This did not work</b>
      <p>{error.message}</p>
      {again !== undefined && (
        <button class="btn" type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Bars in the place of values, after 200 ms without an answer. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class={`bone ${index % 3 === 0 ? "w2" : "w4"}`} />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <b>{title}</b>
      {children}
    </div>
  );
}

/** A button that says first what will happen, and does it at the second press. Escape takes it back. */
export function Confirmed({
  label,
  question,
  act,
  primary = false,
  disabled = false,
}: {
  label: ComponentChildren;
  /** What will happen, as the text of the confirming button. */
  question: string;
  act: () => Promise<unknown>;
  primary?: boolean;
  disabled?: boolean;
}) {
  const [state, setState] = useState<"idle" | "asked" | "busy">("idle");
  const [error, setError] = useState<Error>();
  const confirm = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (state === "asked") confirm.current?.focus();
  }, [state]);
  const go = () => {
    setState("busy");
    setError(undefined);
    act()
      .catch(setError)
      .finally(() => setState("idle"));
  };
  return (
    <span class="confirm">
      {state === "idle" || state === "busy" ? (
        <button
          class={`btn ${primary ? "primary" : ""}`}
          type="button"
          disabled={disabled || state === "busy"}
          onClick={() => setState("asked")}
        >
          {state === "busy" ? "Working…" : label}
        </button>
      ) : (
        <>
          <button
            ref={confirm}
            class="btn primary"
            type="button"
            onClick={go}
            onKeyDown={(event) => event.key === "Escape" && setState("idle")}
          >
            {question}
          </button>
          <button class="btn" type="button" onClick={() => setState("idle")}>
            Not now
          </button>
        </>
      )}
      {error !== undefined && (
        <span class="bad" role="alert">
          {error.message}
        </span>
      )}
    </span>
  );
}

/** Copies a text and says so in its own place. */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    });
  return (
    <button class="btn quiet" type="button" onClick={copy}>
      {isDone ? "Copied" : label}
    </button>
  );
}
