/** Things held back until they are due, handed out in the order of their due value; equal ones first come, first served. */
export interface Hold<Item> {
  add(due: number, item: Item): void;
  /** Takes out what is due by now. */
  take(now: number): Item[];
}

export function createHold<Item>(): Hold<Item> {
  const held: { due: number; item: Item }[] = [];
  return {
    add(due, item) {
      held.splice(firstAfter(held, due), 0, { due, item });
    },
    take(now) {
      if (held.length === 0 || held[0]!.due > now) return [];
      return held.splice(0, firstAfter(held, now)).map((entry) => entry.item);
    },
  };
}

function firstAfter(held: readonly { due: number }[], due: number): number {
  let low = 0;
  let high = held.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (held[middle]!.due <= due) low = middle + 1;
    else high = middle;
  }
  return low;
}
