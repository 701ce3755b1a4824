import type { Environment } from "./config.ts";

/** Invalid settings of an environment: one sentence each, with the given and the allowed values. */
export function findMistakes(environment: Environment): string[] {
  const { stream, landing, lake, alarms } = environment;
  return [
    oneOf("architecture", environment.architecture, ["arm64", "x86_64"]),
    oneOf("lakeSql", environment.lakeSql, ["athena", "duckdb"]),
    stream.shards === "on-demand" ? undefined : whole("stream.shards", stream.shards, 1, 10_000, 'or "on-demand"'),
    whole("stream.retentionHours", stream.retentionHours, 24, 8_760),
    whole("landing.batchRecords", landing.batchRecords, 1, 10_000),
    whole("landing.windowSeconds", landing.windowSeconds, 0, 300),
    whole(
      "landing.retryAttempts",
      landing.retryAttempts,
      1,
      10_000,
      "(endless retries are not allowed: they would block a shard)",
    ),
    whole(
      "landing.maxRecordAgeSeconds",
      landing.maxRecordAgeSeconds,
      60,
      Math.min(604_800, stream.retentionHours * 3_600 - 1),
      "(below stream.retentionHours, or a record expires before it reaches the on-failure bucket)",
    ),
    whole("lake.infrequentAfterDays", lake.infrequentAfterDays, 30, 3_650),
    whole("lake.archiveAfterDays", lake.archiveAfterDays, lake.infrequentAfterDays + 30, 3_650),
    whole("lake.keepOldVersionsDays", lake.keepOldVersionsDays, 1, 3_650),
    whole("athenaScanLimitMegabytes", environment.athenaScanLimitMegabytes, 10, 7_000_000),
    whole("customersEverySeconds", environment.customersEverySeconds, 0, 604_800),
    whole("alarms.freshnessSeconds", alarms.freshnessSeconds, 60, 86_400),
    whole("alarms.iteratorAgeSeconds", alarms.iteratorAgeSeconds, 10, 86_400),
    oneOf("alarms.silenceSeconds", alarms.silenceSeconds, silencePeriods),
    within("alarms.quarantinePercent", alarms.quarantinePercent, 0.01, 100),
    within("monthlyBudgetUsd", environment.monthlyBudgetUsd, 1, 1_000_000),
    oneOf("logRetentionDays", environment.logRetentionDays, retentionDays),
    ...alarms.emails.map(email),
    ...schedules(environment),
    ...warehouse(environment),
    ...pipeline(environment),
  ].filter((mistake) => mistake !== undefined);
}

/** Retention periods that CloudWatch Logs supports. */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Seconds: CloudWatch requires whole minutes, and two periods of at most a day in all. */
const silencePeriods = [300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200];

function warehouse({ warehouse: settings }: Environment): (string | undefined)[] {
  if (settings.kind === "postgres") {
    return /^postgres(ql)?:\/\/\S+@\S+\/\w+$/.test(settings.databaseUrl)
      ? []
      : ["databaseUrl is not a connection string; allowed: postgresql://user:password@host:port/database"];
  }
  const { networkCidr, minAcu, maxAcu, autoPauseSeconds, standbys, backupDays } = settings;
  return [
    network("warehouse.networkCidr", networkCidr),
    halves("warehouse.minAcu", minAcu, 0, 256),
    halves("warehouse.maxAcu", maxAcu, Math.max(1, minAcu), 256, "(not below warehouse.minAcu)"),
    autoPauseSeconds === 0
      ? undefined
      : whole("warehouse.autoPauseSeconds", autoPauseSeconds, 300, 86_400, "or 0 for never"),
    (minAcu === 0) === autoPauseSeconds > 0
      ? undefined
      : `warehouse.autoPauseSeconds is ${autoPauseSeconds} and warehouse.minAcu is ${minAcu}; allowed: auto-pause if and only if minAcu is 0`,
    whole("warehouse.standbys", standbys, 0, 15),
    whole("warehouse.backupDays", backupDays, 1, 35),
  ];
}

/** An IPv4 range of RFC 1918, from its first address on. */
function network(name: string, cidr: string): string | undefined {
  const [, ...numbers] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr)?.map(Number) ?? [];
  const [a = -1, b = -1, c = -1, d = -1, bits = -1] = numbers;
  const isAddress = numbers.length === 5 && [a, b, c, d].every((part) => part <= 255);
  const isPrivate = a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168);
  const isAligned = (((a * 256 + b) * 256 + c) * 256 + d) % 2 ** (32 - bits) === 0;
  if (isAddress && isPrivate && bits >= 16 && bits <= 25 && isAligned) return undefined;
  return `${name} is ${JSON.stringify(cidr)}; allowed: a private range from its first address on, /16 to /25, such as 10.71.0.0/24`;
}

function schedules({ schedules: all }: Environment): (string | undefined)[] {
  return Object.entries(all).map(([workflow, expression]) =>
    /^(rate\([1-9]\d* (minute|minutes|hour|hours|day|days)\)|cron\((\S+ ){5}\S+\))$/.test(expression)
      ? undefined
      : `schedules.${workflow} is ${JSON.stringify(expression)}; allowed: rate(5 minutes) or cron(0 4 * * ? *)`,
  );
}

function pipeline({
  pipeline: target,
  lakeSql,
  warehouse: { kind },
  name,
  keepsData,
}: Environment): (string | undefined)[] {
  if (target === "aws") {
    return kind === "aurora"
      ? []
      : [`warehouse.kind is "postgres" in ${name}; allowed: aurora, because functions on AWS cannot reach another one`];
  }
  return [
    lakeSql === "duckdb"
      ? undefined
      : `lakeSql is "${lakeSql}" in ${name}; allowed: duckdb, because LocalStack has no Athena`,
    kind === "postgres"
      ? undefined
      : `warehouse.kind is "${kind}" in ${name}; allowed: postgres, because LocalStack has no Aurora`,
    keepsData ? `keepsData is true in ${name}; allowed: false, because LocalStack does not persist data` : undefined,
  ];
}

function email(address: string): string | undefined {
  return /^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/.test(address)
    ? undefined
    : `alertEmails has ${JSON.stringify(address)}; allowed: addresses such as ops@example.com, separated by commas`;
}

function oneOf<Value>(setting: string, given: Value, allowed: readonly Value[]): string | undefined {
  return allowed.includes(given) ? undefined : `${setting} is ${JSON.stringify(given)}; allowed: ${allowed.join(", ")}`;
}

function within(setting: string, given: number, from: number, to: number, more = ""): string | undefined {
  if (typeof given === "number" && given >= from && given <= to) return undefined;
  return `${setting} is ${JSON.stringify(given)}; allowed: ${from} to ${to} ${more}`.trimEnd();
}

function whole(setting: string, given: number, from: number, to: number, more = ""): string | undefined {
  const mistake = `${setting} is ${JSON.stringify(given)}; allowed: whole numbers from ${from} to ${to} ${more}`;
  return Number.isInteger(given) && given >= from && given <= to ? undefined : mistake.trimEnd();
}

function halves(setting: string, given: number, from: number, to: number, more = ""): string | undefined {
  if (Number.isInteger(given * 2) && given >= from && given <= to) return undefined;
  return `${setting} is ${JSON.stringify(given)}; allowed: steps of 0.5 from ${from} to ${to} ${more}`.trimEnd();
}
