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
 * Turns an AWS client's error about credentials, permissions or the network into one with advice. `what` describes the
 * call, such as "the outputs of PizzaSales-dev-Stateful". Returns any other error unchanged.
 */
export function explainError(cause: unknown, { what, region }: { what: string; region: string }): unknown {
  const { name, message } = cause as Error;
  const withAdvice = (text: string): Error => new Error(`${what} in ${region}: ${text}`, { cause });
  if (unsigned.has(name)) {
    return withAdvice("there are no AWS credentials: sign in (aws sso login), or set AWS_PROFILE");
  }
  if (rejected.has(name)) return withAdvice(`AWS rejects the credentials (${name}): sign in again, or set AWS_PROFILE`);
  if (denied.has(name)) return withAdvice(`the credentials lack a permission: ${message}`);
  if (isUnreachable(cause)) {
    return withAdvice(`AWS does not answer (${errorCode(cause)}): check the network and the name in AWS_REGION`);
  }
  return cause;
}

/** Whether the endpoint could not be reached at all. */
export const isUnreachable = (cause: unknown): boolean => unreachable.has(errorCode(cause));

/** Awaits a call of an AWS client; its error is explained by `explainError`. */
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
