import { hash } from "node:crypto";

/**
 * Gives the keyed token that stands for a customer from silver on: the first 64 bits of SHA-512/256 over the secret and
 * the id, hex. (Its state is twice as wide as its result, so a prefix is a sound key; HMAC would take three times as long.)
 * The same id has the same token as long as the secret lives; without the secret nobody can compute or test one.
 */
export function createCustomerKey(secret: string): (customerId: string) => string {
  return (customerId) => hash("sha512-256", `${secret}\n${customerId}`, "hex").slice(0, 16);
}
