/**
 * An edit of an order event: `path=value`, `path=old->new` (only if the field has the old value) or `path=@remove`. A
 * path consists of names and indexes, such as `customer.city` or `lines[0].pizza_id`; `lines[*]` means every line.
 */
export interface Edit {
  /** Names and indexes; `*` is every index. */
  path: readonly (string | number)[];
  /** The required old value; undefined for any. */
  before?: unknown;
  after: EditValue;
}

/** The new value: a literal or a named value. */
export type EditValue = { value: unknown } | { named: NamedValue };

/**
 * Values that depend on the event or its order: `@menu` is the pizza's menu price (at `unit_price`), `@next` the
 * revision after silver's, `@arrival` the event's arrival time in the stream. `@remove` deletes the field.
 */
export const namedValues = ["menu", "next", "arrival", "remove"] as const;
export type NamedValue = (typeof namedValues)[number];

/** What an edit did to one field of the event. */
export interface Change {
  path: string;
  before: unknown;
  after: unknown;
}

/** Computes a named value, or undefined if there is none; `container` is the object or array with the field. */
export type NameValue = (name: Exclude<NamedValue, "remove">, container: unknown) => unknown;

/** Parses an edit; throws an error that shows the correct form. */
export function parseEdit(text: string): Edit {
  const [, left = "", right = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const path = parsePath(left);
  if (path === undefined) {
    throw new Error(`edit ${text}: write path=value, such as lines[0].pizza_id=hawaiian_m or revision=@next`);
  }
  const inherited = path.find((step) => typeof step === "string" && (step in Object.prototype || step === "prototype"));
  if (inherited !== undefined) throw new Error(`edit ${text}: ${inherited} is not a field of an order`);
  const arrow = right.indexOf("->");
  if (arrow === -1) return { path, after: readAfter(right, text) };
  return { path, before: readValue(right.slice(0, arrow)), after: readAfter(right.slice(arrow + 2), text) };
}

function parsePath(text: string): Edit["path"] | undefined {
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:\d+|\*)\])*$/.test(text)) return undefined;
  return [...text.matchAll(/\[(\d+)\]|\[(\*)\]|(\w+)/g)].map(([, index, all, name]) =>
    index === undefined ? (all ?? name!) : Number(index),
  );
}

function readAfter(text: string, edit: string): EditValue {
  if (!text.startsWith("@")) return { value: readValue(text) };
  const named = namedValues.find((name) => `@${name}` === text);
  if (named === undefined) {
    throw new Error(
      `edit ${edit}: ${text} is not a named value; use one of ${namedValues.map((name) => `@${name}`).join(", ")}`,
    );
  }
  return { named };
}

/** Parses a value as JSON; anything that is not valid JSON is a literal text. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Applies edits in order to a copy of an event; returns the copy and what changed. */
export function editEvent(
  event: unknown,
  edits: readonly Edit[],
  valueOf: NameValue,
): { event: unknown; changes: Change[] } {
  const edited: unknown = structuredClone(event);
  const changes: Change[] = [];
  for (const edit of edits) apply(edited, edit, { depth: 0, shown: "", valueOf, changes });
  return { event: edited, changes };
}

interface EditedField {
  depth: number;
  shown: string;
  valueOf: NameValue;
  changes: Change[];
}

function apply(holder: unknown, edit: Edit, field: EditedField): void {
  if (typeof holder !== "object" || holder === null) return;
  const step = edit.path[field.depth]!;
  const keys = step === "*" ? Object.keys(holder) : [String(step)];
  for (const key of keys) {
    const shown = Array.isArray(holder) ? `${field.shown}[${key}]` : field.shown === "" ? key : `${field.shown}.${key}`;
    const next = { ...field, depth: field.depth + 1, shown };
    if (next.depth === edit.path.length) change(holder as Record<string, unknown>, key, edit, next);
    // Inherited properties are not part of the event.
    else if (Object.hasOwn(holder, key)) apply((holder as Record<string, unknown>)[key], edit, next);
  }
}

function change(
  holder: Record<string, unknown>,
  key: string,
  edit: Edit,
  { shown, valueOf, changes }: EditedField,
): void {
  const before = Object.hasOwn(holder, key) ? holder[key] : undefined;
  if (edit.before !== undefined && JSON.stringify(edit.before) !== JSON.stringify(before)) return;
  const { after } = edit;
  const isRemoved = "named" in after && after.named === "remove";
  const value = "value" in after ? after.value : after.named === "remove" ? undefined : valueOf(after.named, holder);
  if (JSON.stringify(value) === JSON.stringify(before) || (value === undefined && !isRemoved)) return;
  if (isRemoved) delete holder[key];
  else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
  changes.push({ path: shown, before, after: value });
}
