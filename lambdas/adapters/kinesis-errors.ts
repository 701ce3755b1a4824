import { errorCode } from "./error-code.ts";

const credentials = "the credentials are not accepted; sign in again (aws sso login) or see to the function's role";
const unreachable = "Kinesis does not answer; see AWS_ENDPOINT_URL and the network, and run it again";

const advice: Record<string, string> = {
  ResourceNotFoundException: "there is no such stream; take its name from the outputs of the stack, and see AWS_REGION",
  ProvisionedThroughputExceededException: "the stream is throttled; wait, or give it more shards",
  LimitExceededException: "the account's request limit is reached; run it again in a minute",
  UnrecognizedClientException: credentials,
  ExpiredTokenException: credentials,
  CredentialsProviderError: credentials,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  TimeoutError: unreachable,
};

/**
 * The error of a request to Kinesis (its actions, such as `PutRecords`) as a sentence: the stream, and what to do;
 * `cause` keeps the SDK's own.
 */
export function explainKinesis(cause: unknown, streamName: string, actions: string): Error {
  const name = cause instanceof Error ? cause.name : "";
  const denied = `access is denied; allow the role ${actions} on the stream and the use of the stream's KMS key`;
  const why = name === "AccessDeniedException" ? denied : (advice[errorCode(cause)] ?? advice[name]);
  const sentence = why ?? `${String(cause)}; see to it and run it again`;
  return new Error(`Kinesis stream ${streamName}: ${actions} failed: ${sentence}`, { cause });
}
