import { openSecrets } from "../adapters/secrets.ts";
import { createCustomerKey } from "../silver/customer-key.ts";
import { setting } from "./settings.ts";

/** Makes the keys that stand for customers, from their secret, a JSON object with the field `key`. */
export async function openCustomerKey(): Promise<(customerId: string) => string> {
  const arn = setting("CUSTOMER_KEY_SECRET_ARN");
  const { key } = await openSecrets().read(arn);
  if (!key) throw new Error(`secret ${arn} has no field key: write one, such as 64 random hexadecimal digits`);
  return createCustomerKey(key);
}
