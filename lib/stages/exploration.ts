import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CfnNamedQuery, CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { pascalCase } from "../constructs/workflow.ts";
import { workgroupName } from "../resources.ts";

export interface ExplorationProps {
  environment: Environment;
  key: IKey;
  lake: IBucket;
  glueDatabase: string;
}

const queries = fileURLToPath(new URL("../../sql/athena/", import.meta.url));

/** Ad-hoc queries on the lake: an Athena workgroup with a scan limit, and a saved query for each gold table. */
export class ExplorationStage extends Construct {
  readonly workgroup: string;

  constructor(scope: Construct, id: string, { environment, key, lake, glueDatabase }: ExplorationProps) {
    super(scope, id);
    const workgroup = new CfnWorkGroup(this, "Workgroup", {
      name: workgroupName(environment),
      description: "Pizza sales: the pipeline's queries and ad-hoc queries on the lake",
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: environment.athenaScanLimitMegabytes * 1_000_000,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: {
          outputLocation: lake.s3UrlForObject("athena-results/"),
          encryptionConfiguration: { encryptionOption: "SSE_KMS", kmsKey: key.keyArn },
        },
      },
    });
    this.workgroup = workgroup.name;
    for (const file of readdirSync(queries)
      .filter((name) => name.endsWith(".sql"))
      .toSorted()) {
      this.addQuery(file, { workgroup, database: glueDatabase });
    }
  }

  private addQuery(file: string, { workgroup, database }: { workgroup: CfnWorkGroup; database: string }): void {
    const table = file.replace(/\.sql$/, "");
    const queryString = readFileSync(`${queries}${file}`, "utf8");
    const query = new CfnNamedQuery(this, pascalCase(table), {
      name: `gold.${table}`,
      description: queryString.split("\n", 1)[0]!.replace(/^-- /, ""),
      database,
      workGroup: workgroup.name,
      queryString,
    });
    query.addResourceDependency(workgroup);
  }
}
