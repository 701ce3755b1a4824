import { createHmac } from "node:crypto";

const mostRemembered = 100_000;

/**
 * Gives the keyed token that stands for a customer from silver on: the first 64 bits of HMAC-SHA-256, hex. The same id
 * has the same token as long as the secret lives; without the secret nobody can compute or test one.
 */
export function createCustomerKey(secret: string): (customerId: string) => string {
  const remembered = new Map<string, string>();
  return (customerId) => {
    const known = remembered.get(customerId);
    if (known !== undefined) return known;
    const key = createHmac("sha256", secret).update(customerId).digest("hex").slice(0, 16);
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(customerId, key);
    return key;
  };
}
