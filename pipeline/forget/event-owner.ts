import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { findDuplicateKey } from "../domain/duplicate-keys.ts";
import { createFinder, plainText } from "../domain/redact-event.ts";

const quotedId = /"customer_id"\s*:\s*("(?:[^"\\]|\\.)*")/g;

/** What identifies a customer. */
export interface Known {
  customerId: string;
  /** The email addresses in the customer's events. */
  emails: ReadonlySet<string>;
}

/** Distinguishes a customer's events from those of others. */
export interface CustomerMatch {
  /** Whether an event is the customer's. */
  owns: (bytes: Buffer) => boolean;
  /** Whether bytes contain one of the addresses, ignoring case. */
  bearsEmail: (bytes: Buffer) => boolean;
  /** Whether a text identifies the customer on its own. */
  isPersonal: (text: string) => boolean;
}

/**
 * Returns how to match a customer's events. An event with a readable `customer_id` belongs to that customer. If it is
 * damaged or lacks the field, it belongs to the customer if the id appears as its customer, or if it contains one of
 * the email addresses. The id in any other position (an order id, a store, a key) does not count.
 */
export function matchCustomer({ customerId, emails }: Known): CustomerMatch {
  const holdsId = createFinder(customerId);
  const id = escapeForPattern(customerId);
  const value = `(?:(["'])${id}(?:\\1|$)|${id}(?:[\\s,}\\]]|$))`;
  const asCustomer = new RegExp(`customer(?:_?[iI]d)?["']?\\s*[:=]\\s*${value}`, "u");
  const addresses = [...emails].map(escapeForPattern).join("|");
  const email = new RegExp(`(?<![\\w.%+-])(?:${addresses})(?!\\.?[\\w-])`, "iu");
  const hasEmail = (text: string) => emails.size > 0 && email.test(text);
  const isGiven = (bytes: Buffer) => [bytes.toString("utf8"), plainText(bytes)].some((text) => asCustomer.test(text));
  return {
    owns(bytes) {
      if (!holdsId(bytes) && emails.size === 0) return false;
      const owners = ownersOf(bytes);
      if (owners.includes(customerId)) return true;
      if (isShadowing(bytes)) return holdsId(bytes) && isGiven(bytes);
      if (owners.length > 0) return false;
      return (holdsId(bytes) && isGiven(bytes)) || hasEmail(plainText(bytes));
    },
    bearsEmail: (bytes) => hasEmail(plainText(bytes)),
    isPersonal: (text) => text === customerId || [...emails].some((address) => holdsText(text, address)),
  };
}

function holdsText(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** Returns the email address of an event that names this customer; undefined if it has none or names another one. */
export function emailOf(bytes: Buffer, customerId: string): string | undefined {
  if (!isDeepStrictEqual(ownersOf(bytes), [customerId])) return undefined;
  const { customer } = Object(parse(bytes)) as { customer?: unknown };
  const { email } = Object(customer) as { email?: unknown };
  return typeof email === "string" && /[^\s@]@[^\s@]/.test(email) ? email.trim() : undefined;
}

/** Returns the customer ids of an event: one, or those that a text which is not one JSON object shows. */
function ownersOf(bytes: Buffer): string[] {
  const event = parse(bytes);
  const { customer } = Object(event) as { customer?: unknown };
  const { customer_id } = Object(customer) as { customer_id?: unknown };
  const owners = event === undefined ? damagedOwners(bytes) : [customer_id];
  return owners.filter((owner) => typeof owner === "string").filter((owner) => !isDamaged(owner, bytes));
}

function isDamaged(owner: string, bytes: Buffer): boolean {
  return owner.includes("\ufffd") && !isUtf8(bytes);
}

/** Whether an event has a key twice, so that its parsed value does not show everything that it holds. */
function isShadowing(bytes: Buffer): boolean {
  const event = parse(bytes);
  return event !== undefined && findDuplicateKey(bytes.toString("utf8"), event) !== undefined;
}

/** Returns the customer ids in the text of an event that is not valid JSON. */
function damagedOwners(bytes: Buffer): unknown[] {
  return [...bytes.toString("utf8").matchAll(quotedId)].map(([, quoted]) => parse(Buffer.from(quoted!)));
}

/** Parses bytes as JSON; undefined if they are not valid JSON. */
export function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
