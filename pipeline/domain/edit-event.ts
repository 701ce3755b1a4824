/**
 * A change of an order event: `path=value`, `path=old->new` (only where the old value stands there), `path=@remove`. A path
 * is names and places, such as `customer.city` or `lines[0].pizza_id`; `lines[*]` means every line.
 */
export interface Edit {
  /** Names and places; `*` is every place. */
  path: readonly (string | number)[];
  /** Undefined: whatever stands there. */
  before?: unknown;
  after: EditValue;
}

export type EditValue = { value: unknown } | { named: NamedValue };

/**
 * Values that the event or its order tell: `@menu` the pizza's price on the menu (at `unit_price`), `@next` the revision
 * after the one that silver holds, `@arrival` the moment at which the stream took the event, `@remove` nothing at all.
 */
export const namedValues = ["menu", "next", "arrival", "remove"] as const;
export type NamedValue = (typeof namedValues)[number];

/** What an edit did to one place of the event. */
export interface Change {
  path: string;
  before: unknown;
  after: unknown;
}

/** Works out a named value; `container` is the object or array that holds the place. Undefined where there is none. */
export type NameValue = (name: Exclude<NamedValue, "remove">, container: unknown) => unknown;

/** Reads an edit; throws with what is right. */
export function parseEdit(text: string): Edit {
  const [, place = "", right = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const path = parsePath(place);
  if (path === undefined) {
    throw new Error(`edit ${text}: write path=value, such as lines[0].pizza_id=hawaiian_m or revision=@next`);
  }
  const inherited = path.find((step) => typeof step === "string" && (step in Object.prototype || step === "prototype"));
  if (inherited !== undefined) throw new Error(`edit ${text}: ${inherited} is no field of an order`);
  const arrow = right.indexOf("->");
  if (arrow === -1) return { path, after: readAfter(right, text) };
  return { path, before: readValue(right.slice(0, arrow)), after: readAfter(right.slice(arrow + 2), text) };
}

function parsePath(text: string): Edit["path"] | undefined {
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:\d+|\*)\])*$/.test(text)) return undefined;
  return [...text.matchAll(/\[(\d+)\]|\[(\*)\]|(\w+)/g)].map(([, place, all, name]) =>
    place === undefined ? (all ?? name!) : Number(place),
  );
}

function readAfter(text: string, edit: string): EditValue {
  if (!text.startsWith("@")) return { value: readValue(text) };
  const named = namedValues.find((name) => `@${name}` === text);
  if (named === undefined) {
    throw new Error(
      `edit ${edit}: ${text} is not known; there are ${namedValues.map((name) => `@${name}`).join(", ")}`,
    );
  }
  return { named };
}

/** A number, a text in quotes, true and so on as JSON has them; anything else is a text as it stands. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Applies edits to a copy of an event, in their order; gives what changed. */
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

function apply(holder: unknown, edit: Edit, place: EditedField): void {
  if (typeof holder !== "object" || holder === null) return;
  const step = edit.path[place.depth]!;
  const keys = step === "*" ? Object.keys(holder) : [String(step)];
  for (const key of keys) {
    const shown = Array.isArray(holder) ? `${place.shown}[${key}]` : place.shown === "" ? key : `${place.shown}.${key}`;
    const here = { ...place, depth: place.depth + 1, shown };
    if (here.depth === edit.path.length) change(holder as Record<string, unknown>, key, edit, here);
    // What every object inherits is no part of the event.
    else if (Object.hasOwn(holder, key)) apply((holder as Record<string, unknown>)[key], edit, here);
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
