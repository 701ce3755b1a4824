import { errorCode } from "../../pipeline/domain/errors.ts";

const unsigned = new Set(["CredentialsProviderError", "TokenProviderError"]);
const rejected = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "RequestExpired",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);
const denied = new Set(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"]);
const unreachable = new Set(["EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENOTFOUND", "ETIMEDOUT"]);

/**
 * What to do about an error of an AWS client: sign in, another region, a missing permission. `what` is the call as a person
 * would say it, such as "the outputs of PizzaSales-dev-Stateful". Any other error is given back as it is.
 */
export function explainError(cause: unknown, { what, region }: { what: string; region: string }): unknown {
  const { name, message } = cause as Error;
  const saying = (text: string): Error => new Error(`${what} in ${region}: ${text}`, { cause });
  if (unsigned.has(name)) {
    return saying("there are no AWS credentials: sign in (aws sso login), or set AWS_PROFILE");
  }
  if (rejected.has(name)) return saying(`AWS refuses the credentials (${name}): sign in again, or set AWS_PROFILE`);
  if (denied.has(name)) return saying(`these credentials may not do that: ${message}`);
  if (isUnreachable(cause)) {
    return saying(`AWS does not answer (${errorCode(cause)}): see to the network, and that AWS_REGION is a region`);
  }
  return cause;
}

/** Whether nothing answered at all. */
export const isUnreachable = (cause: unknown): boolean => unreachable.has(errorCode(cause));

/** Waits for a call of an AWS client and explains its error. */
export async function explained<Result>(
  call: Promise<Result>,
  context: { what: string; region: string },
): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw explainError(error, context);
  }
}
