import { receiptTable } from "../receipt-table.ts";
import { print, printJson, say, table, UsageError } from "../output.ts";
import { wholeNumber, type Command } from "../options.ts";
import { workflowNames } from "../../local/home-api.ts";
import { withHome } from "../with-home.ts";

export const verify: Command = {
  summary: "account for every record from the stream to gold; exit code 3 when it does not balance",
  usage: "verify [--json] [--dir DIR]",
  async run({ dir, json }) {
    const receipt = await withHome(dir, (home) => home.verify());
    if (json) printJson({ balanced: receipt.findings.length === 0, ...receipt });
    else print(receiptTable(receipt));
    return receipt.findings.length === 0 ? 0 : 3;
  },
};

export const query: Command = {
  summary: "SQL on gold, or on silver and the quarantine with --lake",
  usage: 'query "<sql>" [--lake] [--version N] [--json]',
  options: {
    lake: { type: "boolean", about: "ask the lake: tables silver_order_lines and quarantine_order_events" },
    version: { type: "string", about: "with --lake: silver as it was at this version" },
  },
  async run({ dir, json, ...values }, [sql, ...rest]) {
    if (sql === undefined || rest.length > 0) throw new UsageError(`give one SQL text\nusage: pizza ${query.usage}`);
    const version = wholeNumber({ dir, ...values }, "version", { min: 0, max: Number.MAX_SAFE_INTEGER });
    const lake = values["lake"] === true;
    if (version !== undefined && !lake) throw new UsageError("--version is for the lake: add --lake");
    const rows = await withHome(dir, (home) => home.query(sql, { lake, version }));
    if (json) printJson(rows);
    else print(table(rows));
  },
};

export const run: Command = {
  summary: "run a workflow now: bronze_to_silver or silver_to_gold",
  usage: "run <workflow> [--json]",
  async run({ dir, json }, [workflow, ...rest]) {
    if (workflow === undefined || rest.length > 0) throw new UsageError(`name one workflow\nusage: pizza ${run.usage}`);
    if (!workflowNames.includes(workflow)) {
      throw new UsageError(`workflow ${workflow} is not known: choose one of ${workflowNames.join(", ")}`);
    }
    const result = await withHome(dir, (home) => home.run(workflow));
    if (json) return printJson(result);
    say(`${workflow} took ${result.milliseconds} ms`);
    printJson(result.output);
  },
};

export const credentials: Command = {
  summary: "connection details of gold for psql, DBeaver and Power BI",
  usage: "credentials [--json]",
  async run({ dir, json }) {
    const { isRunning, ...found } = await withHome(dir, async (home, how) => ({
      ...(await home.credentials()),
      ...how,
    }));
    if (json) printJson(found);
    else {
      const { host, port, database, user, password, url } = found;
      print(
        [
          `server    ${host}:${port}`,
          `database  ${database}`,
          `user      ${user}`,
          `password  ${password}`,
          "",
          `psql '${url}'`,
        ].join("\n"),
      );
    }
    if (!isRunning) say("The home is not running: pizza start brings this server up.");
  },
};
