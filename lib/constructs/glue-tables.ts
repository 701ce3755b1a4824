import { Aws } from "aws-cdk-lib";
import { CfnDatabase, CfnTable } from "aws-cdk-lib/aws-glue";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { partitionColumn, silverColumns, type Column } from "../../pipeline/silver/columns.ts";
import { quarantineColumns } from "../../pipeline/silver/quarantine-table.ts";
import type { Environment } from "../config.ts";
import { pascalCase } from "./workflow.ts";

interface GlueTable {
  name: string;
  /** Key prefix of the Delta table in the lake. */
  folder: string;
  description: string;
  columns: readonly Column[];
  partition?: string;
}

const tables: GlueTable[] = [
  {
    name: "order_lines",
    folder: "silver/order_lines",
    description: "One row per line of an order's latest revision, at the newest version",
    columns: silverColumns,
    partition: partitionColumn,
  },
  {
    name: "order_events",
    folder: "quarantine/order_events",
    description: "One row per rejected event",
    columns: quarantineColumns,
  },
];

/**
 * The lake's tables in Glue. Each Delta table has two entries: one under its name for ad-hoc queries, and `<name>_at`
 * for the pipeline, which must read a fixed version. Athena reads Delta only at the newest version, so `_at` reads a
 * list of files.
 */
export class GlueTables extends Construct {
  /** The Glue database's name. */
  readonly databaseName: string;

  constructor(scope: Construct, id: string, { environment, lake }: { environment: Environment; lake: IBucket }) {
    super(scope, id);
    const database = new CfnDatabase(this, "Database", {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name: `pizza_sales_${environment.name}`, description: "The pizza lake's tables" },
    });
    this.databaseName = database.ref;
    for (const table of tables) {
      this.add(table.name, deltaTable(table, lake));
      this.add(`${table.name}_at`, manifestTable(table, lake));
    }
  }

  private add(name: string, tableInput: Omit<CfnTable.TableInputProperty, "name">): CfnTable {
    const id = pascalCase(name);
    return new CfnTable(this, id, {
      catalogId: Aws.ACCOUNT_ID,
      databaseName: this.databaseName,
      tableInput: { name, tableType: "EXTERNAL_TABLE", ...tableInput },
    });
  }
}

/**
 * Athena recognizes a Delta table by its parameters and reads the schema from the log; formats are those Spark writes.
 */
function deltaTable({ folder, description, columns, partition }: GlueTable, lake: IBucket) {
  const location = lake.s3UrlForObject(`${folder}/`);
  return {
    description,
    parameters: {
      EXTERNAL: "TRUE",
      classification: "delta",
      table_type: "DELTA",
      "spark.sql.sources.provider": "delta",
    },
    partitionKeys: partition === undefined ? [] : [{ name: partition, type: "date" }],
    storageDescriptor: {
      location,
      columns: columns.map(glueColumn),
      inputFormat: "org.apache.hadoop.mapred.SequenceFileInputFormat",
      outputFormat: "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
      serdeInfo: {
        serializationLibrary: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        parameters: { "serialization.format": "1", path: location },
      },
    },
  };
}

/** A table whose files are listed in the object `manifests/<manifest>/files.txt`. */
function manifestTable({ name, columns }: GlueTable, lake: IBucket) {
  const location = lake.s3UrlForObject("manifests/");
  return {
    description: `${name} at one version, from the files listed in a manifest; for the pipeline's own queries`,
    parameters: {
      EXTERNAL: "TRUE",
      "projection.enabled": "true",
      "projection.manifest.type": "injected",
      "storage.location.template": `${location}\${manifest}/`,
    },
    partitionKeys: [{ name: "manifest", type: "string" }],
    storageDescriptor: {
      location,
      columns: columns.map(glueColumn),
      inputFormat: "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
      outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
      serdeInfo: { serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" },
    },
  };
}

const glueColumn = ({ name, type, comment }: Column) => ({ name, type: type === "long" ? "bigint" : type, comment });
