import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Credentials } from "../../targets/pipeline-api.ts";
import { oneOf, type Command, type Values } from "../options.ts";
import { print, printJson, say, UsageError } from "../output.ts";
import { withDeployedPipeline, withReadOnlyPipeline } from "../with-target.ts";

/** What a tool asks for, in its own words and order. */
type Answers = Readonly<Record<string, string>>;

/** Each tool's form, filled in. A deployed server wants TLS, the local one has none. */
const credentialsFor = {
  powerbi: ({ host, port, database, user, password }) => ({
    Server: `${host}:${port}`,
    Database: database,
    "Data Connectivity mode": "Import",
    "User name": user,
    Password: password,
  }),
  psql: ({ url }) => ({ command: `psql '${url}'` }),
  dbeaver: ({ host, port, database, user, password, url }) => ({
    Host: host,
    Port: String(port),
    Database: database,
    Username: user,
    Password: password,
    "SSL mode": sslModeOf(url) ?? "disable",
  }),
  jdbc: ({ host, port, database, user, password, url }) => ({
    url: `jdbc:postgresql://${host}:${port}/${database}?sslmode=${sslModeOf(url) ?? "disable"}`,
    user,
    password,
  }),
  sqlalchemy: ({ url }) => ({ url: url.replace(/^postgres(?:ql)?:/, "postgresql+psycopg:") }),
  dbt: ({ host, port, database, user, password, url }) => ({
    type: "postgres",
    host,
    port: String(port),
    user,
    password,
    dbname: database,
    schema: "gold",
    sslmode: sslModeOf(url) ?? "disable",
  }),
  metabase: ({ host, port, database, user, password, url }) => ({
    "Database type": "PostgreSQL",
    Host: host,
    Port: String(port),
    "Database name": database,
    Username: user,
    Password: password,
    Schemas: "gold, bi",
    "Use a secure connection (SSL)": sslModeOf(url) === undefined ? "no" : "yes",
  }),
} satisfies Record<string, (credentials: Credentials) => Answers>;

type Tool = keyof typeof credentialsFor;

const toolNames = Object.keys(credentialsFor) as Tool[];

/** The TLS mode that the target's own address asks for. */
function sslModeOf(url: string): string | undefined {
  return new URL(url).searchParams.get("sslmode") ?? undefined;
}

export const credentials: Command = {
  summary: "print the connection details of gold for psql, DBeaver, Power BI and other tools",
  examples: ["credentials", "credentials --for psql"],
  usage: `credentials [--for ${toolNames.join("|")}]`,
  options: { for: { type: "string", about: "what this tool asks for, and nothing else" } },
  async run(values) {
    const tool = oneOf(values, "for", toolNames);
    const show = (found: Credentials) => {
      const answers: object = tool === undefined ? found : credentialsFor[tool](found);
      if (values.json) printJson(answers);
      else print(tool === undefined ? credentialsText(found) : answersText(tool, answers as Answers));
    };
    const { isRunning, ...found } = await connection(values);
    show(found);
    if (values.target === "aws") say(outOfReach);
    if (!isRunning) say(notRunning);
  },
};

/** How to connect to the target, and whether its server runs beyond this command. */
async function connection(values: Values): Promise<Credentials & { isRunning: boolean }> {
  if (values.target !== "local") {
    return { ...(await withDeployedPipeline(values, (pipeline) => pipeline.credentials())), isRunning: true };
  }
  return await withReadOnlyPipeline(values, async (pipeline, how) => ({ ...(await pipeline.credentials()), ...how }));
}

const notRunning =
  "The local pipeline is not running: ./pizza start starts this server, on another port if this one is taken by then.";

const outOfReach = `The server is in isolated subnets and reachable only from inside its VPC: through a QuickSight VPC connection,
a Power BI gateway or a port forwarded through SSM (see docs/deploy.md).
./pizza query reaches it from this machine through the Data API.`;

function credentialsText({ host, port, database, user, password, url }: Credentials): string {
  return [
    `server    ${host}:${port}`,
    `database  ${database}`,
    `user      ${user}`,
    `password  ${password}`,
    "",
    `psql '${url}'`,
  ].join("\n");
}

/** A profile of dbt is YAML; any other tool has a form, or takes one line. */
function answersText(tool: Tool, answers: Answers): string {
  const entries = Object.entries(answers);
  if (entries.length === 1) return entries[0]![1];
  if (tool === "dbt") {
    const lines = entries.map(([name, value]) => `      ${name}: ${name === "port" ? value : JSON.stringify(value)}`);
    return ["pizza_sales:", "  target: reader", "  outputs:", "    reader:", ...lines].join("\n");
  }
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  return entries.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
}

const project = fileURLToPath(new URL("../../powerbi/", import.meta.url));
const parameterFile = join("pizza-sales.SemanticModel", "definition", "expressions.tmdl");

export const powerbi: Command = {
  summary: "write a copy of the Power BI project that asks this pipeline",
  examples: ["powerbi report", "powerbi report --target aws --env dev"],
  usage: "powerbi FOLDER",
  mostWords: 1,
  async run(values, [given]) {
    if (given === undefined) throw new UsageError(`no folder given\nusage: ./pizza ${powerbi.usage}`);
    const folder = resolve(given);
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      throw new UsageError(`${folder} is not empty: give a new folder`);
    }
    const { isRunning, ...found } = await connection(values);
    const { host, port, database } = found;
    const server = `${host}:${port}`;
    cpSync(project, folder, { recursive: true });
    const path = join(folder, parameterFile);
    writeFileSync(path, withParameters(readFileSync(path, "utf8"), { Server: server, Database: database }));
    const file = join(folder, "pizza-sales.pbip");
    if (values.json) return printJson({ file, server, database });
    print(`${file}\n\nOpen it in Power BI Desktop: it asks ${server}, database ${database}.`);
    print("It asks once for user and password: ./pizza credentials --for powerbi");
    if (values.target === "local") {
      say("On Windows beside WSL2 the address is the same: WSL2 forwards 127.0.0.1, unless .wslconfig forbids it.");
    }
    if (!isRunning) say(notRunning);
  },
};

/** The parameters of the project with other values; throws if one is not there. */
function withParameters(text: string, values: Answers): string {
  let changed = text;
  for (const [name, value] of Object.entries(values)) {
    const pattern = new RegExp(`^expression ${name} = "[^"]*"`, "m");
    if (!pattern.test(changed)) throw new Error(`${parameterFile} has no parameter ${name}: restore powerbi/ with git`);
    changed = changed.replace(pattern, () => `expression ${name} = "${value}"`);
  }
  return changed;
}
