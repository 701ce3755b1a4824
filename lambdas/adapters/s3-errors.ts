import { errorCode } from "./error-code.ts";

/** What a store does with a bucket. */
export type S3Action = "read" | "write" | "list" | "delete" | "erase";

const permissions: Record<S3Action, string> = {
  read:
    "s3:GetObject on the object and s3:ListBucket on the bucket (without the latter S3 answers so for a key that is " +
    "not there), and kms:Decrypt on its key",
  write: "s3:PutObject on the object and kms:GenerateDataKey on the bucket's key",
  list: "s3:ListBucket on the bucket, for this prefix",
  delete: "s3:DeleteObject on the object",
  erase: "s3:ListBucketVersions on the bucket and s3:DeleteObjectVersion on the object",
};

const credentials = "the credentials are not accepted; sign in again (aws sso login) or see to the function's role";
const elsewhere = "the bucket lies in another region; set AWS_REGION to the bucket's region";
const unreachable = "S3 does not answer; see AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the network, and run it again";

const advice: Record<string, string> = {
  NoSuchBucket: "there is no such bucket; take its name from the outputs of the stack",
  PermanentRedirect: elsewhere,
  AuthorizationHeaderMalformed: elsewhere,
  InvalidAccessKeyId: credentials,
  SignatureDoesNotMatch: credentials,
  ExpiredToken: credentials,
  CredentialsProviderError: credentials,
  SlowDown: "S3 asks for fewer requests; run it again in a minute",
  ServiceUnavailable: "S3 is overloaded; run it again in a minute",
  ConditionalRequestConflict: "others keep writing this key; run it again",
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  TimeoutError: unreachable,
};

/** The error of a request to S3 as a sentence: the bucket, the key, and what to do; `cause` keeps the SDK's own. */
export function explainS3(cause: unknown, bucket: string, action: S3Action, key: string): Error {
  const why =
    statusOf(cause) === 403 && nameOf(cause) === "AccessDenied"
      ? `access is denied; the role needs ${permissions[action]}`
      : (advice[errorCode(cause)] ?? advice[nameOf(cause)] ?? `${String(cause)}; see to it and run it again`);
  return new Error(`S3 bucket ${bucket}: could not ${action} ${key}: ${why}`, { cause });
}

/** S3's name of an error, such as NoSuchKey; empty for what is no error. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** The HTTP status that an error came with; undefined where none came. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
