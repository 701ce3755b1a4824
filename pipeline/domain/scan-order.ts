import { type Catalog, type Pizza, type Store, validOn, type Versions } from "./catalog.ts";
import type { CheckedOrder, OrderCustomer, OrderFacts } from "./check-order.ts";
import { ByteCursor, literal } from "./byte-cursor.ts";
import { BytesTable } from "./bytes-table.ts";
import { limits } from "./rejection-reasons.ts";
import { instantAt, writtenOffsetMinutes } from "./parse-instant.ts";
import { dateOf, hourOf, offsetMinutes } from "./wall-clock.ts";

/** The start of an event of each version of the contract: version 1 at index 0. */
const starts = [1, 2].map((version) => literal(`{"schema_version":${version},"order_id":"`));
const revision = literal('","revision":');
const status = literal(',"status":"');
const orderedAt = literal('","ordered_at":"');
const emittedAt = literal('","emitted_at":"');
const storeId = literal('","store_id":"');
const channel = literal('","channel":"');
const customer = literal('","customer":{"customer_id":"');
/** The optional fields of a customer, each with the contract's maximum length. */
const contacts = [
  { key: literal('","name":"'), longest: 200 },
  { key: literal('","email":"'), longest: 254 },
  { key: literal('","phone":"'), longest: 40 },
  { key: literal('","city":"'), longest: 100 },
  { key: literal('","postal_code":"'), longest: 20 },
];
const linesOfCustomer = literal('"},"lines":[{"line_no":');
const linesOfNobody = literal('","lines":[{"line_no":');
const pizzaId = literal(',"pizza_id":"');
const quantity = literal('","quantity":');
const unitPrice = literal(',"unit_price":');
const nextLine = literal('},{"line_no":');
/** Optional keys of later versions, between lines and producer. */
const promotionCode = literal(',"promotion_code":"');
const tipKey = literal(',"tip":');
const producer = literal(',"producer":{"producer_id":"');
const seq = literal('","seq":');

type Line = OrderFacts["lines"][number];

/** A pizza with all its versions, and its common order lines, which orders share. */
interface MenuItem {
  id: string;
  versions: Versions<Pizza>;
  lines: (Line | undefined)[];
}

/** Maximum number of cached customers or tills; a full cache is cleared. */
const mostCached = 1 << 16;

/**
 * The fast path to a checked order: reads an event's bytes once and creates only the strings and objects that silver
 * needs. It supports only the form that `JSON.stringify` produces, with keys in the contract's order. It never rejects:
 * callers pass every other event to `checkOrder`.
 */
export class OrderScanner {
  /** End offset of the order that `scan` returned last. */
  end = 0;
  private readonly cursor = new ByteCursor();
  private readonly stores = new BytesTable<Versions<Store>>();
  private readonly pizzas = new BytesTable<MenuItem>();
  private readonly statuses = wordTable(["placed", "amended", "cancelled", "refunded"] as const);
  private readonly channels = wordTable(["dine_in", "takeaway", "delivery", "online"] as const);
  private readonly customers = new BytesTable<OrderCustomer>();
  private readonly producers = new BytesTable<string>();
  private readonly found: Line[] = [];

  private readonly customerKey: (customerId: string) => string;

  constructor({ catalog, customerKey }: { catalog: Catalog; customerKey: (customerId: string) => string }) {
    this.customerKey = customerKey;
    for (const [id, versions] of catalog.stores) this.stores.add(id, versions);
    for (const [id, versions] of catalog.pizzas) this.pizzas.add(id, { id, versions, lines: [] });
  }

  /**
   * Returns what `checkOrder` would return for the valid event at byte offset `from`, without the fields that silver
   * does not store; undefined if the event is invalid or in another form. The bytes must be valid UTF-8.
   */
  scan(bytes: Buffer, from: number, arrivedAt: number): CheckedOrder<OrderFacts> | undefined {
    const { cursor } = this;
    cursor.open(bytes, from);
    const version = this.version();
    const idStart = cursor.at;
    cursor.toToken(64);
    const idEnd = cursor.at;
    cursor.expect(revision);
    const revisionNumber = cursor.integer();
    cursor.expect(status);
    const statusWord = cursor.toKnown(this.statuses, 16);
    cursor.expect(orderedAt);
    const ordered = this.instant();
    const orderedEnd = cursor.at;
    cursor.expect(emittedAt);
    const emitted = this.instant();
    cursor.expect(storeId);
    const stores = cursor.toKnown(this.stores, 64);
    if (cursor.isLost || Number.isNaN(ordered) || stores === undefined) return undefined;
    const at = Math.floor(ordered / 1000);
    const offset = offsetMinutes(stores[0]!.time_zone, at);
    const wall = at + offset * 60_000;
    const orderDate = dateOf(wall);
    const store = validOn(stores, orderDate);
    cursor.expect(channel);
    const channelWord = cursor.toKnown(this.channels, 16);
    const guest = this.customer();
    const lines = this.lines(orderDate);
    // Keys in the contract's order, each from the version that it came with.
    const promotion = version >= 2 ? this.promotion() : undefined;
    const tip = version >= 2 ? this.tip() : undefined;
    cursor.expect(producer);
    const till = this.till();
    cursor.expect(seq);
    const counter = cursor.integer();
    cursor.expectEnd();
    if (cursor.isLost || revisionNumber > 1_000_000 || cursor.at - from > limits.eventBytes) return undefined;
    if (statusWord === undefined || channelWord === undefined || store === undefined) return undefined;
    if (ordered > arrivedAt + limits.futureMicros || Number.isNaN(emitted)) return undefined;
    this.end = cursor.at;
    const writtenOffset = writtenOffsetMinutes(bytes, orderedEnd);
    return {
      event: {
        order_id: bytes.toString("latin1", idStart, idEnd),
        revision: revisionNumber,
        status: statusWord,
        store_id: store.store_id,
        channel: channelWord,
        customer: guest,
        lines,
        promotion_code: promotion,
        tip,
        producer: { producer_id: till, seq: counter },
      },
      orderDate,
      orderHour: hourOf(wall),
      wrongOffset: writtenOffset === offset ? undefined : writtenOffset,
      orderedAt: ordered,
      emittedAt: emitted,
    };
  }

  /** The event's version of the contract; lost where `starts` does not have it. */
  private version(): number {
    for (let index = 0; index < starts.length; index++) if (this.cursor.takes(starts[index]!)) return index + 1;
    this.cursor.isLost = true;
    return 0;
  }

  private instant(): number {
    const { cursor } = this;
    const from = cursor.at;
    cursor.toQuote(35);
    return instantAt(cursor.bytes, from, cursor.at);
  }

  private customer(): OrderCustomer | undefined {
    const { cursor } = this;
    if (!cursor.takes(customer)) {
      cursor.expect(linesOfNobody);
      return undefined;
    }
    const from = cursor.at;
    const found = cursor.toKnown(this.customers, 64);
    const guest = found ?? this.newGuest(from);
    for (const { key, longest } of contacts) if (cursor.takes(key)) cursor.toQuote(longest);
    cursor.expect(linesOfCustomer);
    return guest;
  }

  private newGuest(from: number): OrderCustomer | undefined {
    const { cursor, customers } = this;
    if (cursor.isLost) return undefined;
    const customer_id = cursor.textFrom(from);
    const guest = { customer_id, customer_key: this.customerKey(customer_id) };
    makeRoom(customers);
    cursor.remember(customers, from, guest);
    return guest;
  }

  /** Reads the lines. Their numbers must ascend, which rules out duplicates. */
  private lines(orderDate: string): OrderFacts["lines"] {
    const { cursor, found } = this;
    let lines = 0;
    let last = 0;
    do {
      const line_no = cursor.integer();
      cursor.expect(pizzaId);
      const item = cursor.toKnown(this.pizzas, 64);
      cursor.expect(quantity);
      const count = cursor.integer();
      cursor.expect(unitPrice);
      const cents = cursor.cents();
      const isOnMenu = cents === validOn(item?.versions, orderDate)?.price_cents && cents <= 1_000_000;
      if (!isOnMenu || line_no <= last || line_no > 1_000_000 || count < 1 || count > 100) cursor.isLost = true;
      else found[lines++] = lineOf(item!, line_no, count);
      last = line_no;
    } while (!cursor.isLost && lines <= limits.lines && cursor.takes(nextLine));
    if (lines > limits.lines) cursor.isLost = true;
    cursor.expectEndOfArray();
    // A copy has exactly the needed capacity; a growing array has room for 17 lines.
    return found.slice(0, lines);
  }

  private promotion(): string | undefined {
    const { cursor } = this;
    if (!cursor.takes(promotionCode)) return undefined;
    const from = cursor.at;
    cursor.toToken(32);
    const code = cursor.textFrom(from);
    cursor.expectQuote();
    return code;
  }

  /** Reads the tip in dollars. */
  private tip(): number | undefined {
    const { cursor } = this;
    if (!cursor.takes(tipKey)) return undefined;
    const cents = cursor.cents();
    if (cents > 1_000_000) cursor.isLost = true;
    return cents / 100;
  }

  private till(): string {
    const { cursor, producers } = this;
    const from = cursor.at;
    const found = cursor.toKnown(producers, 64);
    if (found !== undefined || cursor.isLost) return found ?? "";
    const till = cursor.textFrom(from);
    makeRoom(producers);
    cursor.remember(producers, from, till);
    return till;
  }
}

function lineOf({ id: pizza_id, lines }: MenuItem, line_no: number, count: number): Line {
  if (line_no > 15 || count > 15) return { line_no, pizza_id, quantity: count };
  return (lines[line_no * 16 + count] ??= { line_no, pizza_id, quantity: count });
}

function makeRoom(table: BytesTable<unknown>): void {
  if (table.size >= mostCached) table.clear();
}

function wordTable<Word extends string>(words: readonly Word[]): BytesTable<Word> {
  const table = new BytesTable<Word>();
  for (const word of words) table.add(word, word);
  return table;
}
