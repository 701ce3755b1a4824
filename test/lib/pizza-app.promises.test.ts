import { beforeAll, describe, expect, test } from "vitest";
import { environments } from "../../lib/config.ts";
import { functionNames } from "../../lib/function-entries.ts";
import { actions, place, roleOf, statements } from "./policies.ts";
import { ofType, only, synthesise, type Resource, type Template } from "./synthesise.ts";

type Synthesised = Record<"stateful" | "stateless", Template>;

const made: Record<string, Synthesised> = {};
beforeAll(() => {
  for (const name of ["dev", "prod", "localstack"] as const) made[name] = synthesise(name);
});

const properties = (template: Template, type: string) =>
  ofType(template, type).map(([, resource]) => resource.Properties);

/** What a function's role allows: each action with its resource. */
function rightsOf({ stateless }: Synthesised, name: string): string[] {
  return statements(roleOf(stateless, name))
    .flatMap((each) =>
      actions(each).flatMap((action) => [each.Resource].flat().map((one) => `${action} ${place(one)}`)),
    )
    .toSorted();
}

describe("the stateful stack", () => {
  test("keeps its logical ids, because CloudFormation would replace a renamed resource", () => {
    const kept = [
      "AWS::KMS::Key",
      "AWS::S3::Bucket",
      "AWS::Kinesis::Stream",
      "AWS::RDS::DBCluster",
      "AWS::SecretsManager::Secret",
    ];
    const ids = kept.flatMap((type) => ofType(made["prod"]!.stateful, type).map(([id]) => id));
    expect(ids).toEqual([
      "Key961B73FD",
      "BucketsAccessLogsA5F88218",
      "BucketsLake7E5C8A08",
      "BucketsOnFailure77888DA5",
      "BucketsBackups18324FCD",
      "OrdersA9B65338",
      "WarehouseCluster7B91A95E",
      "SecretsReaderF06A15FF",
      "SecretsWriter2CD59448",
      "SecretsCustomerKeyD5DE25D4",
    ]);
  });

  test("retains its data when it is deleted, unless the deletion is confirmed twice", () => {
    const keeping = (template: Template) =>
      new Set(
        Object.values(template.Resources)
          .filter(({ Type }) => /KMS::Key|S3::Bucket$|Kinesis::Stream|RDS::DB(Cluster|Instance)$|Secret$/.test(Type))
          .map(({ DeletionPolicy, UpdateReplacePolicy }) => `${DeletionPolicy} ${UpdateReplacePolicy}`),
      );
    expect([...keeping(made["prod"]!.stateful)]).toEqual(["RetainExceptOnCreate Retain"]);
    expect([...keeping(made["dev"]!.stateful)]).toEqual(["RetainExceptOnCreate Retain"]);
    const going = synthesise({ ...environments.prod, keepsData: false });
    expect([...keeping(going.stateful)]).toEqual(["Delete Delete"]);
    expect(only(going.stateful, "AWS::RDS::DBCluster").Properties["DeletionProtection"]).toBe(false);
    expect([
      going.stacks.stateful.terminationProtection,
      synthesise("prod").stacks.stateful.terminationProtection,
    ]).toEqual([false, true]);
  });

  test("has all resources with data; the stateless stack has none", () => {
    const types = new Set(Object.values(made["prod"]!.stateless.Resources).map(({ Type }) => Type));
    for (const type of ["AWS::S3::Bucket", "AWS::Kinesis::Stream", "AWS::RDS::DBCluster", "AWS::KMS::Key"]) {
      expect(types).not.toContain(type);
    }
  });

  test("has a warehouse that is encrypted, isolated in its network, backed up and protected from deletion", () => {
    const { stateful } = made["prod"]!;
    expect(only(stateful, "AWS::RDS::DBCluster").Properties).toMatchObject({
      StorageEncrypted: true,
      DeletionProtection: true,
      EnableHttpEndpoint: true,
      EnableIAMDatabaseAuthentication: true,
      ManageMasterUserPassword: true,
      BackupRetentionPeriod: 35,
      EnableCloudwatchLogsExports: ["postgresql"],
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 16 },
    });
    expect(only(stateful, "AWS::RDS::DBClusterParameterGroup").Properties["Parameters"]).toEqual({
      "rds.force_ssl": "1",
    });
    expect(properties(stateful, "AWS::RDS::DBInstance").map((instance) => instance["PubliclyAccessible"])).toEqual([
      false,
      false,
    ]);
    for (const type of ["AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"])
      expect(ofType(stateful, type)).toEqual([]);
    expect(only(made["dev"]!.stateful, "AWS::RDS::DBCluster").Properties["ServerlessV2ScalingConfiguration"]).toEqual({
      MinCapacity: 0,
      MaxCapacity: 2,
      SecondsUntilAutoPause: 300,
    });
  });

  test("allows network traffic only between the clients' security group and the warehouse", () => {
    const { stateful } = made["prod"]!;
    const inline = properties(stateful, "AWS::EC2::SecurityGroup").flatMap(
      ({ SecurityGroupIngress = [] }) => SecurityGroupIngress as object[],
    );
    expect(inline).toEqual([]);
    const group = (name: string) => ({ "Fn::GetAtt": [expect.stringContaining(`Warehouse${name}`), "GroupId"] });
    expect(properties(stateful, "AWS::EC2::SecurityGroupIngress")).toEqual(
      [
        { GroupId: group("Access"), SourceSecurityGroupId: group("Clients"), IpProtocol: "tcp" },
        { GroupId: group("Clients"), SourceSecurityGroupId: group("Access"), FromPort: 0, ToPort: 65_535 },
      ].map((rule) => expect.objectContaining(rule) as object),
    );
  });

  test("has encrypted, versioned and private buckets", () => {
    for (const bucket of properties(made["prod"]!.stateful, "AWS::S3::Bucket")) {
      expect(bucket["VersioningConfiguration"]).toEqual({ Status: "Enabled" });
      expect(Object.values(bucket["PublicAccessBlockConfiguration"] as object)).toEqual([true, true, true, true]);
      expect(JSON.stringify(bucket["BucketEncryption"])).toMatch(/aws:kms|AES256/);
      expect(JSON.stringify(bucket["LifecycleConfiguration"])).toContain("AbortIncompleteMultipartUpload");
    }
    const rules = only(made["prod"]!.stateful, "AWS::S3::Bucket", "BucketsLake").Properties[
      "LifecycleConfiguration"
    ] as {
      Rules: { Id: string; Prefix?: string; Transitions?: object[]; ExpirationInDays?: number }[];
    };
    expect(rules.Rules.find(({ Id }) => Id === "bronze-ages")).toMatchObject({
      Prefix: "bronze/",
      Transitions: [{ StorageClass: "STANDARD_IA" }, { StorageClass: "GLACIER_IR" }],
    });
    expect(
      rules.Rules.filter(({ ExpirationInDays }) => ExpirationInDays !== undefined).map(({ Prefix }) => Prefix),
    ).toEqual(["manifests/", "athena-results/", "lineage/"]);
  });

  test("denies requests without TLS on every bucket, and overwriting bronze objects and commits in the lake", () => {
    const policies = ofType(made["prod"]!.stateful, "AWS::S3::BucketPolicy").map(([, policy]) => statements(policy));
    expect(policies).toHaveLength(4);
    for (const policy of policies) {
      expect(policy).toContainEqual(
        expect.objectContaining({
          Effect: "Deny",
          Action: "s3:*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        }),
      );
    }
    const once = policies.flat().filter(({ Sid }) => Sid === "WrittenOnce");
    const rejected = expect.objectContaining({
      Effect: "Deny",
      Action: "s3:PutObject",
      Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
    }) as object;
    expect(once).toEqual([rejected, rejected]);
    expect(JSON.stringify(once[1]!.Resource)).toContain("/backups/*");
    expect(JSON.stringify(once[0]!.Resource)).toMatch(
      /bronze\/\*.*quarantine\/\*\/_delta_log\/\*\.json.*silver\/\*\/_delta_log\/\*\.json/,
    );
  });

  test("rotates the key, which the stream and the secrets use", () => {
    const { stateful } = made["prod"]!;
    expect(only(stateful, "AWS::KMS::Key").Properties["EnableKeyRotation"]).toBe(true);
    expect(only(stateful, "AWS::Kinesis::Stream").Properties).toMatchObject({
      RetentionPeriodHours: 168,
      StreamModeDetails: { StreamMode: "ON_DEMAND" },
      StreamEncryption: { EncryptionType: "KMS" },
    });
    for (const secret of properties(stateful, "AWS::SecretsManager::Secret")) expect(secret["KmsKeyId"]).toBeDefined();
  });

  test("has each Delta table in Glue twice: at its newest version, and at a fixed one by a list of files", () => {
    const tables = properties(made["prod"]!.stateful, "AWS::Glue::Table").map(
      ({ TableInput }) => TableInput as Record<string, any>,
    );
    expect(tables.map(({ Name }) => Name as string)).toEqual([
      "order_lines",
      "order_lines_at",
      "order_events",
      "order_events_at",
    ]);
    expect(tables[0]).toMatchObject({
      Parameters: { table_type: "DELTA", "spark.sql.sources.provider": "delta" },
      PartitionKeys: [{ Name: "order_date", Type: "date" }],
    });
    expect(tables[1]!["Parameters"]).toMatchObject({
      "projection.enabled": "true",
      "projection.manifest.type": "injected",
    });
    expect(JSON.stringify(tables[1]!["Parameters"])).toContain("/manifests/${manifest}/");
    expect(tables[1]).toMatchObject({
      PartitionKeys: [{ Name: "manifest", Type: "string" }],
      StorageDescriptor: { InputFormat: "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat" },
    });
    const types = new Set(
      tables.flatMap(({ StorageDescriptor }) =>
        (StorageDescriptor as { Columns: { Type: string }[] }).Columns.map(({ Type }) => Type),
      ),
    );
    expect([...types].toSorted()).toEqual(["bigint", "boolean", "int", "string", "timestamp"]);
  });
});

describe("landing", () => {
  test("has one concurrent batch per shard, bisects failed batches, and stores them in S3 after the last retry", () => {
    expect(only(made["prod"]!.stateless, "AWS::Lambda::EventSourceMapping").Properties).toMatchObject({
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 50,
      MaximumRecordAgeInSeconds: 259_200,
      StartingPosition: "TRIM_HORIZON",
      DestinationConfig: {
        OnFailure: { Destination: { "Fn::ImportValue": expect.stringContaining("BucketsOnFailure") as string } },
      },
    });
    for (const { stateless } of Object.values(made)) {
      const mapping = only(stateless, "AWS::Lambda::EventSourceMapping").Properties;
      expect(mapping).not.toHaveProperty("FunctionResponseTypes");
      expect(mapping["MaximumRetryAttempts"]).toBeGreaterThan(0);
    }
  });

  test("can only read the stream and write bronze objects and failed batches", () => {
    expect(rightsOf(made["prod"]!, "LandRecords")).toEqual([
      "kinesis:DescribeStream Orders",
      "kinesis:DescribeStreamSummary Orders",
      "kinesis:GetRecords Orders",
      "kinesis:GetShardIterator Orders",
      "kinesis:ListShards Orders",
      "kms:Decrypt Key",
      "kms:GenerateDataKey Key",
      "logs:CreateLogStream LandingLandRecordsLog",
      "logs:PutLogEvents LandingLandRecordsLog",
      "s3:ListBucket BucketsOnFailure",
      "s3:PutObject BucketsLake/bronze/*",
      "s3:PutObject BucketsOnFailure/aws/lambda/*",
    ]);
  });
});

describe("permissions", () => {
  test("let grants on the key be given only to AWS services", () => {
    let grants = 0;
    for (const { stateful, stateless } of Object.values(made)) {
      for (const resource of [...Object.values(stateful.Resources), ...Object.values(stateless.Resources)]) {
        for (const statement of statements(resource).filter((each) => actions(each).includes("kms:CreateGrant"))) {
          expect(statement.Condition).toEqual({ Bool: { "kms:GrantIsForAWSResource": "true" } });
          grants++;
        }
      }
    }
    expect(grants).toBeGreaterThan(0);
  });

  test("let a database snapshot be exported, with all that StartExportTask asks of its caller and of the role", () => {
    const rights = rightsOf(made["prod"]!, "SnapshotDatabase");
    const onKey = [
      "CreateGrant",
      "Decrypt",
      "DescribeKey",
      "Encrypt",
      "GenerateDataKey",
      "GenerateDataKeyWithoutPlaintext",
    ];
    for (const action of [...onKey, "ReEncryptFrom", "ReEncryptTo", "RetireGrant"]) {
      expect(rights).toContain(`kms:${action} Key`);
    }
    const exporter = statements(roleOf(made["prod"]!.stateless, "Export")).flatMap(actions);
    expect(exporter).toEqual(expect.arrayContaining(["s3:PutObject*", "s3:GetObject*", "s3:DeleteObject*"]));
  });

  test("include no wildcard actions but those that AWS asks of the export role, and no AWS managed policies", () => {
    for (const { stateful, stateless } of Object.values(made)) {
      for (const template of [stateful, stateless]) {
        for (const type of ["AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"]) {
          for (const [id, resource] of ofType(template, type)) {
            const isExport = id.startsWith("BackupExportRole");
            const wildcards = statements(resource)
              .flatMap(actions)
              .filter((action) => action.includes("*") && !(isExport && /^s3:(Put|Get|Delete)Object\*$/.test(action)));
            expect(wildcards, id).toEqual([]);
            expect(JSON.stringify(resource.Properties["ManagedPolicyArns"] ?? []), id).not.toContain("iam::aws:policy");
          }
        }
      }
    }
  });

  test("name a resource, except for traces, log delivery and export tasks", () => {
    for (const { stateless } of Object.values(made)) {
      for (const type of ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"]) {
        for (const [id, resource] of ofType(stateless, type)) {
          const boundless = statements(resource).filter((statement) => [statement.Resource].flat().includes("*"));
          const named = boundless.flatMap(actions).filter((action) => !/^(xray|logs):|ExportTasks?$/.test(action));
          expect(named, id).toEqual([]);
        }
      }
    }
  });

  test("of the backup's creator exclude deletion, those of its verifier exclude the lake, and no other function has them", () => {
    const rights = (name: string) => rightsOf(made["prod"]!, name);
    const changing = (right: string) => /Put|Delete|Create|Start/.test(right) && !/^(logs|xray):/.test(right);
    expect(rights("BackUpWarehouse").filter(changing)).toEqual(["s3:PutObject BucketsBackups/backups/*"]);
    expect(rights("VerifyBackup").filter(changing)).toEqual([
      "s3:DeleteObject BucketsBackups/backups/*",
      "s3:PutObject BucketsBackups/backups/*",
    ]);
    expect(rights("VerifyBackup").filter((right) => right.includes("Lake"))).toEqual([]);
    expect(rights("RestoreBackup").filter(changing)).toEqual([]);
    const snapshots = rights("SnapshotDatabase");
    expect(snapshots.filter((right) => /Tags/.test(right))).toEqual([
      expect.stringMatching(/^rds:AddTagsToResource .*:cluster-snapshot:pizza-sales-prod-backup-\*$/),
    ]);
    expect(snapshots.filter((right) => /^rds-data:|^secrets/.test(right))).toEqual([]);
    expect(snapshots.filter((right) => /Delete/.test(right))).toEqual([
      expect.stringMatching(/^rds:DeleteDBClusterSnapshot .*:cluster-snapshot:pizza-sales-prod-backup-\*$/),
    ]);
  });

  test("of the receipt's verifier allow writing only Athena's files", () => {
    const writes = rightsOf(made["prod"]!, "VerifyReceipt").filter((right) =>
      /Put|Delete|Execute|Start|Publish|Update/.test(right),
    );
    expect(writes).toEqual([
      "athena:StartQueryExecution arn:AWS::Partition:athena:AWS::Region:AWS::AccountId:workgroup/pizza-sales-prod",
      "logs:PutLogEvents ReceiptVerifyReceiptLog",
      "rds-data:ExecuteStatement arn:AWS::Partition:rds:AWS::Region:AWS::AccountId:cluster:WarehouseCluster",
      "s3:PutObject BucketsLake/athena-results/*",
      "s3:PutObject BucketsLake/manifests/*",
      "sns:Publish Alerts",
    ]);
    const receipt = rightsOf(made["prod"]!, "VerifyReceipt").filter((right) => right.startsWith("secretsmanager"));
    expect(receipt).toEqual([
      "secretsmanager:GetSecretValue SecretsCustomerKey",
      "secretsmanager:GetSecretValue SecretsReader",
    ]);
  });

  test("of the quality checker allow reading silver, and writing only to the warehouse and Athena's files", () => {
    const rights = rightsOf(made["prod"]!, "CheckQuality");
    expect(rights.filter((right) => /Put|Delete|Execute|Start|Publish|Update/.test(right))).toEqual([
      "athena:StartQueryExecution arn:AWS::Partition:athena:AWS::Region:AWS::AccountId:workgroup/pizza-sales-prod",
      "logs:PutLogEvents ReceiptCheckQualityLog",
      "rds-data:ExecuteStatement arn:AWS::Partition:rds:AWS::Region:AWS::AccountId:cluster:WarehouseCluster",
      "s3:PutObject BucketsLake/athena-results/*",
      "s3:PutObject BucketsLake/manifests/*",
      "sns:Publish Alerts",
    ]);
    expect(rights.filter((right) => right.startsWith("s3:GetObject"))).toEqual([
      "s3:GetObject BucketsLake/athena-results/*",
      "s3:GetObject BucketsLake/manifests/*",
      "s3:GetObject BucketsLake/silver/*",
    ]);
    expect(rights.filter((right) => right.startsWith("secretsmanager"))).toEqual([
      "secretsmanager:GetSecretValue SecretsWriter",
    ]);
  });

  test("need no VPC, and every function's log has a retention", () => {
    for (const { stateless } of Object.values(made)) {
      for (const [id, { Properties }] of ofType(stateless, "AWS::Lambda::Function")) {
        expect(Properties["VpcConfig"], id).toBeUndefined();
        expect(Properties["LoggingConfig"], id).toBeDefined();
      }
      for (const log of properties(stateless, "AWS::Logs::LogGroup")) {
        expect(log["RetentionInDays"]).toBeGreaterThan(0);
        expect(log["KmsKeyId"]).toBeDefined();
      }
    }
  });
});

describe("the stateless stack", () => {
  test("has functions on Node 24 and arm64 that are traced and know their environment", () => {
    const own = properties(made["prod"]!.stateless, "AWS::Lambda::Function").filter(({ Handler }) =>
      String(Handler).startsWith("lambdas/"),
    );
    expect(own).toHaveLength(functionNames.length);
    for (const { Architectures, Runtime, TracingConfig, Environment, Handler } of own) {
      expect(Runtime).toBe("nodejs24.x");
      expect(Architectures).toEqual(["arm64"]);
      expect(TracingConfig).toEqual({ Mode: "Active" });
      expect(Environment).toMatchObject({
        Variables: {
          ENVIRONMENT: "prod",
          POWERTOOLS_SERVICE_NAME: "pizza-sales",
          POWERTOOLS_METRICS_NAMESPACE: "PizzaSales",
        },
      });
      expect(Handler).toMatch(/^lambdas\/\w+\/[\w-]+\.handler$/);
    }
  });

  test("migrates the database before it updates the functions that need it", () => {
    const { stateless } = made["prod"]!;
    const [[trigger]] = ofType(stateless, "Custom::Trigger") as [[string, Resource]];
    for (const name of ["RefiningRefineSilver", "PublishingPublishWindows", "ReceiptVerifyReceipt"]) {
      expect(only(stateless, "AWS::Lambda::Function", name).DependsOn, name).toContain(trigger);
    }
  });

  test("rotates the passwords of both roles monthly, after the first migration", () => {
    const rotations = ofType(made["prod"]!.stateless, "AWS::SecretsManager::RotationSchedule");
    expect(rotations).toHaveLength(2);
    for (const [, { Properties, DependsOn }] of rotations) {
      expect(Properties).toMatchObject({
        RotateImmediatelyOnUpdate: false,
        RotationRules: { ScheduleExpression: "rate(30 days)" },
      });
      expect(DependsOn?.some((id) => id.startsWith("MigrationsOnDeploy"))).toBe(true);
    }
  });

  test("has Standard workflows that are traced, and logged without execution data", () => {
    for (const machine of properties(made["prod"]!.stateless, "AWS::StepFunctions::StateMachine")) {
      expect(machine).toMatchObject({
        StateMachineType: "STANDARD",
        LoggingConfiguration: { Level: "ALL", IncludeExecutionData: false },
        TracingConfiguration: { Enabled: true },
      });
    }
  });

  test("has schedules with a dead-letter queue for failed starts", () => {
    const schedules = properties(made["prod"]!.stateless, "AWS::Scheduler::Schedule");
    expect(schedules).toHaveLength(4);
    for (const { FlexibleTimeWindow, State, Target } of schedules) {
      expect(FlexibleTimeWindow).toEqual({ Mode: "OFF" });
      expect(State).toBe("ENABLED");
      expect(Target).toMatchObject({ DeadLetterConfig: { Arn: {} }, RetryPolicy: { MaximumRetryAttempts: 5 } });
    }
  });

  test("limits the concurrency of the writers if the account allows it", () => {
    const limited = ({ stateless }: Synthesised) =>
      properties(stateless, "AWS::Lambda::Function").filter((fn) => fn["ReservedConcurrentExecutions"] !== undefined)
        .length;
    expect(limited(made["prod"]!)).toBeGreaterThan(5);
    expect(limited(made["dev"]!)).toBe(0);
  });
});

const shortName = ({ AlarmName }: Record<string, unknown>) => (AlarmName as string).replace("PizzaSales-prod-", "");

describe("monitoring", () => {
  test("has an alarm for everything that needs attention, and each says what to do", () => {
    const alarms = properties(made["prod"]!.stateless, "AWS::CloudWatch::Alarm");
    const names = alarms.map(shortName).toSorted();
    expect(names).toMatchSnapshot();
    for (const { AlarmDescription, AlarmActions, AlarmName } of alarms) {
      expect(AlarmDescription, AlarmName as string).toMatch(/^[A-Z].+[.] What to do: [a-z].{20,}[.]$/);
      expect(AlarmActions).toEqual([{ Ref: expect.stringMatching(/^Alerts/) as string }]);
    }
  });

  test("keeps an alarm on a rarely reported state until a data point clears it", () => {
    const alarms = properties(made["prod"]!.stateless, "AWS::CloudWatch::Alarm");
    const treated = (how: string) => alarms.filter(({ TreatMissingData }) => TreatMissingData === how).map(shortName);
    expect(treated("ignore")).toEqual([
      "OnFailure-BatchUnreadable-Critical",
      "MissedStarts-Queue-Message-Count-Max-Critical",
      "Data-Receipt-Critical",
      "Data-Quality-Critical",
    ]);
    expect(treated("notBreaching")).toHaveLength(alarms.length - 4);
  });

  test("sends no OK notification for alarms on events", () => {
    const alarms = properties(made["prod"]!.stateless, "AWS::CloudWatch::Alarm");
    const events =
      /BatchGivenUp|BatchLost|^RotatePassword|^RecordLineage|^(Backup|BronzeToSilver|DataQuality|SilverToGold)-/;
    for (const each of alarms) {
      expect(each["OKActions"] !== undefined, shortName(each)).toBe(!events.test(shortName(each)));
    }
    const runs = alarms.filter((each) => /^(Backup|BronzeToSilver|DataQuality|SilverToGold)-/.test(shortName(each)));
    expect(runs).toHaveLength(4 * 3);
    for (const { Metrics } of runs) expect(Metrics).toMatchObject([{ MetricStat: { Period: 1_800 } }]);
  });

  test("raises an alarm at the first failure of a rarely invoked function", () => {
    const alarms = properties(made["prod"]!.stateless, "AWS::CloudWatch::Alarm");
    const needed = (name: string) => alarms.find((each) => shortName(each).startsWith(name))!["DatapointsToAlarm"];
    expect([needed("RotatePassword"), needed("RecordLineage"), needed("StartWorkflow")]).toEqual([1, 1, 2]);
  });

  test("sends alerts to an encrypted, TLS-only topic", () => {
    const { stateless } = made["prod"]!;
    expect(only(stateless, "AWS::SNS::Topic").Properties["KmsMasterKeyId"]).toBeDefined();
    expect(only(stateless, "AWS::SNS::Subscription").Properties).toMatchObject({
      Protocol: "email",
      Endpoint: "ops@example.com",
    });
    const policy = JSON.stringify(only(stateless, "AWS::SNS::TopicPolicy").Properties);
    expect(policy).toContain('"aws:SecureTransport":"false"');
  });

  test("limits the account's bill and Athena's scans", () => {
    expect(only(made["prod"]!.stateless, "AWS::Budgets::Budget").Properties).toMatchObject({
      Budget: { BudgetLimit: { Amount: 1000, Unit: "USD" } },
    });
    expect(only(made["prod"]!.stateless, "AWS::Athena::WorkGroup").Properties).toMatchObject({
      WorkGroupConfiguration: { EnforceWorkGroupConfiguration: true, BytesScannedCutoffPerQuery: 100_000_000_000 },
    });
  });

  test("warns at synthesis about missing recipients", () => {
    const { stacks } = synthesise(environments.dev);
    const warnings = stacks.stateless.node.metadata
      .filter(({ type }) => type === "aws:cdk:warning")
      .map(({ data }) => String(data));
    expect(warnings.join()).toContain(
      "alarms of dev have no e-mail recipients: set them with -c alertEmails=ops@example.com",
    );
  });
});

describe("an environment on LocalStack", () => {
  test("has only resources that its free edition supports", () => {
    const types = new Set(
      Object.values({ ...made["localstack"]!.stateful.Resources, ...made["localstack"]!.stateless.Resources }).map(
        ({ Type }) => Type,
      ),
    );
    const missing = ["RDS", "Glue", "Athena", "Budgets", "EC2"].map((service) => `AWS::${service}::`);
    expect([...types].filter((type) => missing.some((prefix) => type.startsWith(prefix)))).toEqual([]);
    for (const type of [
      "AWS::CloudWatch::Dashboard",
      "AWS::Logs::MetricFilter",
      "AWS::SecretsManager::RotationSchedule",
    ])
      expect(types).not.toContain(type);
  });

  test("reads the lake with DuckDB and writes to an existing PostgreSQL", () => {
    const { Environment } = only(
      made["localstack"]!.stateless,
      "AWS::Lambda::Function",
      "PublishingPublishWindows",
    ).Properties;
    expect(Environment).toMatchObject({
      Variables: {
        LAKE_SQL: "duckdb",
        WAREHOUSE: "postgres",
        DATABASE_URL: expect.stringMatching(/^postgresql:/) as string,
      },
    });
  });
});

describe("the stacks' outputs", () => {
  test("contain everything that the command line reads", () => {
    const names = ({ Outputs }: Template) =>
      Object.entries(Outputs)
        .filter(([, { Export }]) => Export === undefined)
        .map(([name]) => name);
    expect(names(made["prod"]!.stateful)).toEqual([
      "LakeBucket",
      "OnFailureBucket",
      "BackupBucket",
      "StreamName",
      "StreamArn",
      "KeyArn",
      "ReaderSecretArn",
      "WriterSecretArn",
      "CustomerKeySecretArn",
      "GlueDatabase",
      "ClusterArn",
      "DatabaseHost",
      "DatabaseReaderHost",
      "DatabasePort",
      "DatabaseName",
      "OwnerSecretArn",
      "WarehouseNetwork",
      "WarehouseSubnets",
      "WarehouseAccess",
      "WarehouseClients",
    ]);
    expect(names(made["prod"]!.stateless)).toEqual([
      "AthenaWorkgroup",
      "DashboardUrl",
      "StateMachines",
      "Functions",
      "LandingMappingId",
      "AlertTopicArn",
    ]);
    expect(names(made["localstack"]!.stateful)).toContain("DatabaseUrl");
  });
});
