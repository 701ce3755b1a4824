import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { visible } from "../pipeline/domain/visible.ts";
import type { Notifier } from "../pipeline/ports.ts";

/** SNS's limits: characters of a subject, bytes of a message. */
const limits = { subject: 100, message: 256 * 1024 };
const ending = "\n… (truncated)";

let shared: SNSClient | undefined;

/**
 * Publishes to an SNS topic. Truncates texts that are too long, and replaces characters that SNS rejects in a subject.
 */
export function openSnsNotifier({ topicArn, client }: { topicArn: string; client?: SNSClient }): Notifier {
  return {
    async notify({ subject, text }) {
      const sns = client ?? (shared ??= new SNSClient({ maxAttempts: 5 }));
      const request = { TopicArn: topicArn, Subject: subjectOf(subject), Message: cut(visible(text)) };
      await sns.send(new PublishCommand(request)).catch((cause: unknown) => {
        throw explain(cause, topicArn);
      });
    },
  };
}

/** SNS rejects an empty subject and any characters but printable ASCII. */
function subjectOf(text: string): string {
  const printable = text.replaceAll(/[^\x21-\x7e]+/g, " ").trim();
  return printable.slice(0, limits.subject) || "Pizza sales";
}

/** Never cuts within a UTF-8 character. */
function cut(message: string): string {
  if (Buffer.byteLength(message) <= limits.message) return message;
  const room = limits.message - Buffer.byteLength(ending);
  return new TextDecoder().decode(Buffer.from(message).subarray(0, room), { stream: true }) + ending;
}

const advice: Record<string, string> = {
  NotFound: "the topic does not exist: take its ARN from the stack outputs",
  NotFoundException: "the topic does not exist: take its ARN from the stack outputs",
  AuthorizationError: "access is denied: the role needs sns:Publish on it and kms:GenerateDataKey on its key",
  AuthorizationErrorException: "access is denied: the role needs sns:Publish on it and kms:GenerateDataKey on its key",
};

function explain(cause: unknown, topicArn: string): Error {
  const name = cause instanceof Error ? cause.name : "";
  const why = advice[name] ?? `${String(cause)}: fix the cause and try again`;
  return new Error(`SNS topic ${topicArn}: could not publish: ${why}`, { cause });
}
