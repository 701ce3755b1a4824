import { describe, expect, it } from "vitest";
import { editEvent, parseEdit } from "../../../pipeline/domain/edit-event.ts";

const event = {
  order_id: "a",
  revision: 0,
  nickname: "Bob",
  lines: [
    { pizza_id: "old_m", unit_price: 1 },
    { pizza_id: "big_l", unit_price: 2 },
  ],
};

const edited = (...edits: string[]) =>
  editEvent(event, edits.map(parseEdit), (name) => ({ menu: 9.5, next: 4 })[name as "menu"]);

describe("an edit", () => {
  it.each<[string, object[]]>([
    ["revision=2", [{ path: "revision", before: 0, after: 2 }]],
    ["order_id=b", [{ path: "order_id", before: "a", after: "b" }]],
    ['order_id="2"', [{ path: "order_id", before: "a", after: "2" }]],
    ["lines[1].pizza_id=small_s", [{ path: "lines[1].pizza_id", before: "big_l", after: "small_s" }]],
    ["lines[*].pizza_id=old_m->new_m", [{ path: "lines[0].pizza_id", before: "old_m", after: "new_m" }]],
    ["lines[*].unit_price=@menu", [0, 1].map((n) => ({ path: `lines[${n}].unit_price`, before: n + 1, after: 9.5 }))],
    ["revision=@next", [{ path: "revision", before: 0, after: 4 }]],
    ["nickname=@remove", [{ path: "nickname", before: "Bob", after: undefined }]],
    ["channel=online", [{ path: "channel", before: undefined, after: "online" }]],
  ])("%s", (text, changes) => {
    expect(edited(text).changes).toEqual(changes);
  });

  it.each(["lines[*].pizza_id=gone->new_m", "revision=0", "lines[7].pizza_id=new_m", "revision=@arrival", "a.b.c=1"])(
    "%s changes nothing",
    (text) => expect(edited(text)).toEqual({ event, changes: [] }),
  );

  it("cannot change inherited properties", () => {
    const path = { path: ["__proto__", "x"], after: { value: 1 } };
    expect(editEvent(event, [path], () => undefined).changes).toEqual([]);
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
  });

  it("removes the key, and does not change the given event", () => {
    expect(Object.keys(edited("nickname=@remove").event as object)).toEqual(["order_id", "revision", "lines"]);
    expect(event.nickname).toBe("Bob");
  });

  it.each([
    ["revision", "write path=value"],
    ["lines[x]=1", "write path=value"],
    ["__proto__.x=1", "__proto__ is not a field of an order"],
    ["lines[0].__proto__.x=1", "__proto__ is not a field of an order"],
    ["constructor.prototype.x=1", "constructor is not a field of an order"],
    ["lines.prototype=1", "prototype is not a field of an order"],
    ["revision=@last", "@last is not a named value; use one of @menu, @next, @arrival, @remove"],
  ])("%s is rejected with the correct form", (text, message) => {
    expect(() => parseEdit(text)).toThrow(message);
  });
});
