import { environments, type Environment } from "../../lib/config.ts";
import { actions, place, roleOf, statements, type Statement } from "../lib/policies.ts";
import { synthesise } from "../lib/synthesise.ts";
import type { RecordedCall } from "../support/recorded-calls.ts";

/**
 * The distinct calls that the functions made but that their roles in environment dev do not allow, such as
 * `RefineSilver.athena s3:GetObject BucketsLake/silver/a`. Calls other than S3's are compared by action only.
 */
export function forbiddenCalls(calls: readonly RecordedCall[]): string[] {
  const ofFunctions = Map.groupBy(
    calls.filter(({ caller }) => caller.includes(".")),
    ({ caller }) => caller,
  );
  const found = [...ofFunctions].flatMap(([caller, own]) => {
    const allowed = rightsOf(caller);
    return own.filter((call) => !allowed.some((each) => allows(each, call))).map(textOf);
  });
  return [...new Set(found)];
}

function rightsOf(caller: string): Statement[] {
  const [name, lakeSql] = caller.split(".") as [string, Environment["lakeSql"]];
  return statements(roleOf(templateOf(lakeSql), name)).filter(({ Effect }) => Effect === "Allow");
}

const alarms = { ...environments.dev.alarms, emails: ["ops@example.com"] };
const templates = new Map<string, ReturnType<typeof synthesise>["stateless"]>();

function templateOf(lakeSql: Environment["lakeSql"]) {
  const known = templates.get(lakeSql) ?? synthesise({ ...environments.dev, alarms, lakeSql }).stateless;
  templates.set(lakeSql, known);
  return known;
}

function allows(statement: Statement, call: RecordedCall): boolean {
  if (!actions(statement).includes(call.action)) return false;
  if (call.object === undefined) return true;
  const resources = [statement.Resource].flat().map(place);
  if (!call.action.startsWith("s3:List")) return resources.some((pattern) => like(pattern, textOfObject(call.object!)));
  return resources.includes(bucketOf(call.object)) && listed(statement).some((at) => like(at, call.object!.key));
}

/** The prefixes that a list permission covers. */
function listed({ Condition: condition }: Statement): string[] {
  const { StringLike } = (condition ?? {}) as { StringLike?: { "s3:prefix": string | string[] } };
  return StringLike === undefined ? ["*"] : [StringLike["s3:prefix"]].flat();
}

function like(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}

/** The construct of a bucket, by the name that the tests give it; any other name is a lake. */
function bucketOf({ bucket }: { bucket: string }): string {
  const others: Record<string, string> = { "on-failure": "BucketsOnFailure", backups: "BucketsBackups" };
  return others[bucket] ?? "BucketsLake";
}

const textOfObject = (object: { bucket: string; key: string }): string => `${bucketOf(object)}/${object.key}`;

const textOf = ({ caller, action, object }: RecordedCall): string =>
  [caller, action, ...(object ? [textOfObject(object)] : [])].join(" ");
