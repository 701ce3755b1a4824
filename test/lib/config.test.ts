import { describe, expect, test } from "vitest";
import { findMistakes } from "../../lib/check-config.ts";
import {
  chooseEnvironment,
  contextSettings,
  rejectUnknown,
  type ContextSetting,
} from "../../lib/choose-environment.ts";
import { environments, type Environment } from "../../lib/config.ts";

const choose = (context: Partial<Record<ContextSetting, unknown>>) => chooseEnvironment((name) => context[name]);

describe("an environment", () => {
  test.each(Object.keys(environments))("%s is valid", (env) => {
    expect(choose({ env })).toEqual(environments[env as keyof typeof environments]);
  });

  test("must be named", () => {
    expect(() => choose({})).toThrow("env is missing; allowed: dev, staging, prod, localstack");
    expect(() => choose({ env: "production" })).toThrow('env is "production"; allowed: dev, staging, prod, localstack');
    expect(() => choose({ env: "toString" })).toThrow('env is "toString"');
  });

  test("applies context settings", () => {
    const chosen = choose({
      env: "prod",
      alertEmails: "a@example.com, b@example.com",
      monthlyBudgetUsd: "250",
      lakeSql: "duckdb",
    });
    expect(chosen.alarms.emails).toEqual(["a@example.com", "b@example.com"]);
    expect(chosen.monthlyBudgetUsd).toBe(250);
    expect(chosen.lakeSql).toBe("duckdb");
    expect(choose({ env: "dev", alertEmails: ["a@example.com"] }).alarms.emails).toEqual(["a@example.com"]);
  });

  test("can have an OpenLineage endpoint", () => {
    expect(choose({ env: "dev" })).not.toHaveProperty("openLineageUrl");
    const openLineageUrl = "https://marquez.example.com";
    expect(choose({ env: "dev", openLineageUrl })).toMatchObject({ openLineageUrl });
    for (const wrong of ["marquez", "https://me:secret@marquez.example.com", 5000]) {
      expect(() => choose({ env: "dev", openLineageUrl: wrong })).toThrow("allowed: an address without login");
    }
  });

  test("reserves no concurrency in an account with a low concurrency limit", () => {
    expect(choose({ env: "prod" }).reservesConcurrency).toBe(true);
    expect(choose({ env: "prod", reservesConcurrency: "off" }).reservesConcurrency).toBe(false);
    expect(() => choose({ env: "prod", reservesConcurrency: false })).toThrow(
      "reservesConcurrency is false; allowed: off",
    );
  });

  test("rejects an unknown setting", () => {
    expect(() => rejectUnknown(["env", "alertEmail", "Schedules"])).toThrow(
      "context has unknown settings alertEmail, Schedules; allowed: env, alertEmails,",
    );
    const ofCdk = [
      "@aws-cdk/core:stackRelativeExports",
      "aws:cdk:enable-path-metadata",
      "availability-zones:account=1",
    ];
    expect(() => rejectUnknown([...Object.keys(contextSettings), ...ofCdk])).not.toThrow();
  });

  test("makes its data deletable only if its name is confirmed", () => {
    expect(choose({ env: "prod" }).keepsData).toBe(true);
    expect(choose({ env: "prod", deleteData: "prod" }).keepsData).toBe(false);
    expect(() => choose({ env: "prod", deleteData: "dev" })).toThrow(
      'deleteData is "dev"; allowed: prod, to confirm that all data of prod may be deleted',
    );
    expect(() => choose({ env: "dev", deleteData: true })).toThrow("deleteData is true; allowed: dev");
  });

  test("reports all problems at once", () => {
    expect(() => choose({ env: "dev", alertEmails: "ops", monthlyBudgetUsd: "a lot", lakeSql: "spark" })).toThrow(
      [
        "environment dev cannot be built:",
        '- lakeSql is "spark"; allowed: athena, duckdb',
        '- monthlyBudgetUsd is "a lot"; allowed: 1 to 1000000',
        '- alertEmails has "ops"; allowed: addresses such as ops@example.com, separated by commas',
      ].join("\n"),
    );
  });

  test("can have another network, but only where it has its own database", () => {
    expect(choose({ env: "prod", networkCidr: "172.20.4.0/23" }).warehouse).toMatchObject({
      networkCidr: "172.20.4.0/23",
    });
    expect(() => choose({ env: "localstack", networkCidr: "10.0.0.0/24" })).toThrow(
      "networkCidr is set for localstack; allowed: only for an environment with its own database",
    );
    const ranges = Object.values(environments).map(
      ({ warehouse }) => "networkCidr" in warehouse && warehouse.networkCidr,
    );
    expect(new Set(ranges).size).toBe(ranges.length);
  });

  test("cannot use an external database on AWS", () => {
    expect(() => choose({ env: "dev", databaseUrl: "postgresql://a:b@c/d" })).toThrow(
      "databaseUrl is set for dev; allowed: only for localstack",
    );
    expect(choose({ env: "localstack", databaseUrl: "postgresql://a:b@c:1/d" }).warehouse).toEqual({
      kind: "postgres",
      databaseUrl: "postgresql://a:b@c:1/d",
    });
  });
});

describe("an invalid setting is rejected", () => {
  const { dev, localstack } = environments;
  const aurora = dev.warehouse as Extract<Environment["warehouse"], { kind: "aurora" }>;

  test.each<[string, Environment, string]>([
    ["processor", { ...dev, architecture: "sparc" as "arm64" }, 'architecture is "sparc"; allowed: arm64, x86_64'],
    [
      "shards",
      { ...dev, stream: { ...dev.stream, shards: 0 } },
      'stream.shards is 0; allowed: whole numbers from 1 to 10000 or "on-demand"',
    ],
    [
      "retention",
      { ...dev, stream: { ...dev.stream, retentionHours: 9_000 } },
      "stream.retentionHours is 9000; allowed: whole numbers from 24 to 8760",
    ],
    [
      "batch",
      { ...dev, landing: { ...dev.landing, batchRecords: 10_001 } },
      "landing.batchRecords is 10001; allowed: whole numbers from 1 to 10000",
    ],
    [
      "window",
      { ...dev, landing: { ...dev.landing, windowSeconds: 1.5 } },
      "landing.windowSeconds is 1.5; allowed: whole numbers from 0 to 300",
    ],
    [
      "endless retries",
      { ...dev, landing: { ...dev.landing, retryAttempts: -1 } },
      "landing.retryAttempts is -1; allowed: whole numbers from 1 to 10000 (endless retries are not allowed: they would block a shard)",
    ],
    [
      "age",
      { ...dev, landing: { ...dev.landing, maxRecordAgeSeconds: 86_400 } },
      "landing.maxRecordAgeSeconds is 86400; allowed: whole numbers from 60 to 86399 (below stream.retentionHours, or a record expires before it reaches the on-failure bucket)",
    ],
    [
      "ageing",
      { ...dev, lake: { ...dev.lake, archiveAfterDays: 40 } },
      "lake.archiveAfterDays is 40; allowed: whole numbers from 60 to 3650",
    ],
    [
      "scan limit",
      { ...dev, athenaScanLimitMegabytes: 1 },
      "athenaScanLimitMegabytes is 1; allowed: whole numbers from 10 to 7000000",
    ],
    ...[
      "10.71.0.0",
      "10.71.0.0/26",
      "10.71.0.8/24",
      "8.8.8.0/24",
      "172.32.0.0/24",
      "10.0.0.0/15",
      "10.71.0.256/24",
    ].map((networkCidr): [string, Environment, string] => [
      `network ${networkCidr}`,
      { ...dev, warehouse: { ...aurora, networkCidr } },
      `warehouse.networkCidr is "${networkCidr}"; allowed: a private range from its first address on, /16 to /25, such as 10.71.0.0/24`,
    ]),
    [
      "capacity",
      { ...dev, warehouse: { ...aurora, maxAcu: 0.7 } },
      "warehouse.maxAcu is 0.7; allowed: steps of 0.5 from 1 to 256 (not below warehouse.minAcu)",
    ],
    [
      "pause",
      { ...dev, warehouse: { ...aurora, autoPauseSeconds: 60 } },
      "warehouse.autoPauseSeconds is 60; allowed: whole numbers from 300 to 86400 or 0 for never",
    ],
    [
      "auto-pause above zero capacity",
      { ...dev, warehouse: { ...aurora, minAcu: 1 } },
      "warehouse.autoPauseSeconds is 300 and warehouse.minAcu is 1; allowed: auto-pause if and only if minAcu is 0",
    ],
    [
      "backups",
      { ...dev, warehouse: { ...aurora, backupDays: 0 } },
      "warehouse.backupDays is 0; allowed: whole numbers from 1 to 35",
    ],
    [
      "schedule",
      { ...dev, schedules: { otherwise: "daily" } },
      'schedules.otherwise is "daily"; allowed: rate(5 minutes) or cron(0 4 * * ? *)',
    ],
    ["log retention", { ...dev, logRetentionDays: 8 }, "logRetentionDays is 8; allowed: 1, 3, 5, 7"],
    [
      "missing",
      { ...dev, customersEverySeconds: undefined as unknown as number },
      "customersEverySeconds is undefined; allowed: whole numbers from 0 to 604800",
    ],
    [
      "database on AWS",
      { ...dev, warehouse: localstack.warehouse },
      'warehouse.kind is "postgres" in dev; allowed: aurora',
    ],
    [
      "Athena on LocalStack",
      { ...localstack, lakeSql: "athena" },
      'lakeSql is "athena" in localstack; allowed: duckdb',
    ],
    [
      "Aurora on LocalStack",
      { ...localstack, warehouse: aurora },
      'warehouse.kind is "aurora" in localstack; allowed: postgres',
    ],
    [
      "address",
      { ...localstack, warehouse: { kind: "postgres", databaseUrl: "localhost" } },
      "databaseUrl is not a connection string; allowed: postgresql://user:password@host:port/database",
    ],
  ])("%s", (_what, environment, sentence) => {
    const mistakes = findMistakes(environment);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(sentence);
  });
});
