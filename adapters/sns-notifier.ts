import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import type { Notifier } from "../pipeline/ports.ts";

/** What SNS takes: characters of a subject, bytes of a message. */
const limits = { subject: 100, message: 256 * 1024 };

let shared: SNSClient | undefined;

/** Tells whoever has subscribed to an SNS topic. What is too long is cut; a subject keeps to the characters of an e-mail's. */
export function openSnsNotifier({ topicArn, client }: { topicArn: string; client?: SNSClient }): Notifier {
  return {
    async notify({ subject, text }) {
      const sns = client ?? (shared ??= new SNSClient({ maxAttempts: 5 }));
      const request = { TopicArn: topicArn, Subject: subjectOf(subject), Message: cut(text) };
      await sns.send(new PublishCommand(request)).catch((cause: unknown) => {
        throw explain(cause, topicArn);
      });
    },
  };
}

/** SNS refuses a subject that holds anything but printable ASCII, or is empty. */
function subjectOf(text: string): string {
  const printable = text.replaceAll(/[^\x21-\x7e]+/g, " ").trim();
  return printable.slice(0, limits.subject) || "Pizza sales";
}

const ending = "\n… the rest is cut off";

/** Never in the middle of a character. */
function cut(message: string): string {
  if (Buffer.byteLength(message) <= limits.message) return message;
  const room = limits.message - Buffer.byteLength(ending);
  return new TextDecoder().decode(Buffer.from(message).subarray(0, room), { stream: true }) + ending;
}

const advice: Record<string, string> = {
  NotFound: "there is no such topic; take its ARN from the outputs of the stack",
  NotFoundException: "there is no such topic; take its ARN from the outputs of the stack",
  AuthorizationError: "access is denied; the role needs sns:Publish on it and kms:GenerateDataKey on its key",
  AuthorizationErrorException: "access is denied; the role needs sns:Publish on it and kms:GenerateDataKey on its key",
};

function explain(cause: unknown, topicArn: string): Error {
  const name = cause instanceof Error ? cause.name : "";
  const why = advice[name] ?? `${String(cause)}; see to it and run it again`;
  return new Error(`SNS topic ${topicArn}: could not publish: ${why}`, { cause });
}
