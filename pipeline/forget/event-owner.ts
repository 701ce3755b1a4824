import { isUtf8 } from "node:buffer";
import { createFinder, plainText } from "../domain/redact-event.ts";

/** By what a customer is known. */
export interface Known {
  customerId: string;
  /** The e-mail addresses that the customer's events bear. */
  emails: ReadonlySet<string>;
}

/** Tells a customer's events from those of others. */
export interface CustomerMatch {
  /** Whether an event is the customer's. */
  owns: (bytes: Buffer) => boolean;
  /** Whether bytes bear one of the addresses, in capitals or not. */
  bearsEmail: (bytes: Buffer) => boolean;
  /** Whether a text leads to the customer by itself. */
  isPersonal: (text: string) => boolean;
}

/**
 * An event that says whose it is belongs to that customer. Where it does not, because it is damaged or lacks the field, it
 * is taken for the customer's if the id is what it gives for a customer, or if it bears one of the addresses. Wherever else
 * the id stands, as the name of an order, a store or a key, it says nothing.
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
      const owner = ownerOf(bytes);
      if (owner !== undefined) return owner === customerId;
      return (holdsId(bytes) && isGiven(bytes)) || hasEmail(plainText(bytes));
    },
    bearsEmail: (bytes) => hasEmail(plainText(bytes)),
    isPersonal: (text) => text === customerId || [...emails].some((address) => holdsText(text, address)),
  };
}

function holdsText(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** The e-mail address of an event that names this customer. */
export function emailOf(bytes: Buffer, customerId: string): string | undefined {
  if (ownerOf(bytes) !== customerId) return undefined;
  const { customer } = Object(parse(bytes)) as { customer?: unknown };
  const { email } = Object(customer) as { email?: unknown };
  return typeof email === "string" && /[^\s@]@[^\s@]/.test(email) ? email.trim() : undefined;
}

const quotedId = /"customer_id"\s*:\s*("(?:[^"\\]|\\.)*")/;

/** The customer that an event names; undefined where it names none, or none that can be read. */
function ownerOf(bytes: Buffer): string | undefined {
  const event = parse(bytes);
  const { customer } = Object(event) as { customer?: unknown };
  const { customer_id } = Object(customer) as { customer_id?: unknown };
  const owner = event === undefined ? damagedOwner(bytes) : customer_id;
  if (typeof owner !== "string") return undefined;
  const isDamaged = owner.includes("\ufffd") && !isUtf8(bytes);
  return isDamaged ? undefined : owner;
}

/** What stands as the customer's id in an event that is no JSON. */
function damagedOwner(bytes: Buffer): unknown {
  const [, quoted] = quotedId.exec(bytes.toString("utf8")) ?? [];
  return quoted === undefined ? undefined : parse(Buffer.from(quoted));
}

/** Undefined for what is no JSON. */
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
