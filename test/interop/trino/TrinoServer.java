import static io.trino.testing.TestingSession.testSessionBuilder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.inject.util.Modules;
import io.trino.filesystem.local.LocalFileSystemFactory;
import io.trino.plugin.hive.HiveType;
import io.trino.plugin.hive.InternalHiveConnectorFactory;
import io.trino.plugin.hive.NodeVersion;
import io.trino.plugin.hive.metastore.Column;
import io.trino.plugin.hive.metastore.Database;
import io.trino.plugin.hive.metastore.HiveMetastore;
import io.trino.plugin.hive.metastore.PrincipalPrivileges;
import io.trino.plugin.hive.metastore.StorageFormat;
import io.trino.plugin.hive.metastore.Table;
import io.trino.plugin.hive.metastore.file.FileHiveMetastore;
import io.trino.plugin.hive.metastore.file.FileHiveMetastoreConfig;
import io.trino.spi.Plugin;
import io.trino.spi.connector.Connector;
import io.trino.spi.connector.ConnectorContext;
import io.trino.spi.connector.ConnectorFactory;
import io.trino.spi.security.PrincipalType;
import io.trino.testing.DistributedQueryRunner;
import java.io.File;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Trino with its Hive connector over a folder: `TrinoServer FOLDER TABLES`. FOLDER is the root of `local:///`, TABLES a
 * file with Glue's TableInputs as JSON. Prints the server's address; ends with its standard input.
 */
public class TrinoServer {
  public static void main(String[] arguments) {
    int exitCode = 0;
    try {
      serve(arguments);
    } catch (Throwable failure) {
      failure.printStackTrace();
      exitCode = 1;
    }
    // Trino leaves threads behind that would keep the process.
    System.exit(exitCode);
  }

  private static void serve(String[] arguments) throws Exception {
    // Trino's logging takes System.out for itself.
    PrintStream out = System.out;
    Path root = Path.of(arguments[0]);
    Files.createDirectories(root.resolve("metastore"));
    LocalFileSystemFactory files = new LocalFileSystemFactory(root);
    HiveMetastore metastore = new FileHiveMetastore(
        new NodeVersion("test"),
        files,
        false,
        new FileHiveMetastoreConfig().setCatalogDirectory("local:///metastore").setDisableLocationChecks(true));
    metastore.createDatabase(Database.builder()
        .setDatabaseName("pizza")
        .setOwnerName(Optional.of("public"))
        .setOwnerType(Optional.of(PrincipalType.ROLE))
        .build());
    for (JsonNode input : new ObjectMapper().readTree(new File(arguments[1]))) {
      metastore.createTable(tableOf(input), PrincipalPrivileges.NO_PRIVILEGES);
    }
    DistributedQueryRunner runner = DistributedQueryRunner
        .builder(testSessionBuilder().setCatalog("lake").setSchema("pizza").build())
        .setNodeCount(1)
        .build();
    runner.installPlugin(new LakePlugin(metastore, files));
    // The file metastore has statistics for the partitions that it knows, and it knows no projected ones.
    runner.createCatalog("lake", "lake", Map.of(
        "hive.partition-projection-enabled", "true",
        "hive.table-statistics-enabled", "false",
        "hive.security", "allow-all"));
    out.println("listening on " + runner.getCoordinator().getBaseUrl());
    while (System.in.read() >= 0) {}
    runner.close();
  }

  @SuppressWarnings("unchecked")
  private static Table tableOf(JsonNode input) {
    JsonNode storage = input.get("StorageDescriptor");
    return Table.builder()
        .setDatabaseName("pizza")
        .setTableName(input.get("Name").asText())
        .setTableType(input.get("TableType").asText())
        .setOwner(Optional.of("test"))
        .setDataColumns(columnsOf(storage.get("Columns")))
        .setPartitionColumns(columnsOf(input.get("PartitionKeys")))
        .setParameters(new ObjectMapper().convertValue(input.get("Parameters"), Map.class))
        .withStorage(builder -> builder
            .setLocation(storage.get("Location").asText())
            .setStorageFormat(StorageFormat.create(
                storage.get("SerdeInfo").get("SerializationLibrary").asText(),
                storage.get("InputFormat").asText(),
                storage.get("OutputFormat").asText())))
        .build();
  }

  private static List<Column> columnsOf(JsonNode columns) {
    List<Column> result = new ArrayList<>();
    for (JsonNode column : columns) {
      HiveType type = HiveType.valueOf(column.get("Type").asText());
      result.add(new Column(column.get("Name").asText(), type, Optional.empty(), Map.of()));
    }
    return result;
  }

  private record LakePlugin(HiveMetastore metastore, LocalFileSystemFactory files)
      implements Plugin, ConnectorFactory {
    @Override
    public Iterable<ConnectorFactory> getConnectorFactories() {
      return List.of(this);
    }

    @Override
    public String getName() {
      return "lake";
    }

    @Override
    public Connector create(String catalog, Map<String, String> config, ConnectorContext context) {
      return InternalHiveConnectorFactory.createConnector(
          catalog, config, context, Modules.EMPTY_MODULE, Optional.of(metastore), Optional.of(files), Optional.empty());
    }
  }
}
