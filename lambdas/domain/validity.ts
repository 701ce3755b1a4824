import { parseInstant } from "./parse-instant.ts";

/** The days of which a version of something holds. Business dates, `YYYY-MM-DD`; null or absent: without end on that side. */
export interface Validity {
  /** The first day. */
  valid_from?: string | null;
  /** The day after the last one: where the next version begins. */
  valid_to?: string | null;
}

/** The versions of one thing, oldest first; they meet without gap or overlap. */
export type Versions<Item extends Validity> = readonly Item[];

/** The version that holds on a day (`YYYY-MM-DD`); undefined where none does. */
export function validOn<Item extends Validity>(versions: Versions<Item> | undefined, day: string): Item | undefined {
  if (versions === undefined) return undefined;
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index]!;
    if (version.valid_from != null && day < version.valid_from) continue;
    return version.valid_to == null || day < version.valid_to ? version : undefined;
  }
  return undefined;
}

/** Puts the versions of one thing in order; throws where a range is none, or where two overlap or leave a gap. */
export function orderVersions<Item extends Validity>(versions: readonly Item[], name: string): Versions<Item> {
  for (const version of versions) checkRange(version, name);
  const ordered = versions.toSorted((one, other) => ((one.valid_from ?? "") < (other.valid_from ?? "") ? -1 : 1));
  for (const [index, next] of ordered.slice(1).entries()) {
    const end = ordered[index]!.valid_to ?? "~";
    const start = next.valid_from ?? "";
    if (end === start) continue;
    const what = end > start ? "overlap" : "leave a gap";
    throw new Error(
      `${name}: its ranges ${what}: one ends ${showDay(end)}, the next begins ${showDay(start)}; valid_to of the one has to be valid_from of the next`,
    );
  }
  return ordered;
}

function checkRange({ valid_from, valid_to }: Validity, name: string): void {
  for (const day of [valid_from, valid_to]) {
    if (day == null || (day.length === 10 && parseInstant(`${day}T00:00:00Z`) !== undefined)) continue;
    throw new Error(`${name}: ${day} is no day; write it as 2026-03-01, or null`);
  }
  if (valid_from != null && valid_to != null && valid_from >= valid_to) {
    throw new Error(
      `${name}: valid_from ${valid_from} does not lie before valid_to ${valid_to}, the day after its last`,
    );
  }
}

function showDay(day: string): string {
  return day === "~" ? "never" : day === "" ? "without a first day" : `on ${day}`;
}
