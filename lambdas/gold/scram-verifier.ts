import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/**
 * What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803): `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server
 * key>`. PostgreSQL takes it in place of the password, which then stands in no statement and in no log. The password is
 * printable ASCII: others would have to be normalised first.
 */
export function scramVerifier(password: string, salt: Uint8Array = randomBytes(16), iterations = 4096): string {
  if (!/^[\x21-\x7e]+$/.test(password)) {
    throw new Error("a password has characters other than printable ASCII: write another one into its secret");
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const serverKey = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}
