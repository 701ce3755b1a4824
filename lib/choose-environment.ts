import { findMistakes } from "./check-config.ts";
import { environments, type Environment, type EnvironmentName, SettingsError } from "./config.ts";

/** What a person may set as context, and what each is. */
export const contextSettings = {
  env: "the environment: dev, staging, prod or localstack",
  alertEmails: "who is told of an alarm: addresses with commas between them",
  monthlyBudgetUsd: "what the account may cost in a month, US dollars",
  lakeSql: "athena or duckdb",
  schedules: "off lets no schedule start anything; the stream is still landed",
  reservesConcurrency: "off reserves no concurrent executions, for an account that has few of them",
  openLineageUrl: "who hears of the workflows' runs as OpenLineage events, such as https://marquez.example.com",
  databaseUrl: "localstack only: the PostgreSQL that holds gold",
  deleteData:
    "the environment's name once more: its data may go with the stacks (the first of the two steps of removal)",
} as const;

export type ContextSetting = keyof typeof contextSettings;

/**
 * The environment that `env` names, with the other context settings laid over it. Throws one error with a sentence for
 * every setting that is missing or wrong: which, what was given, what is allowed.
 */
export function chooseEnvironment(context: (name: ContextSetting) => unknown): Environment {
  const environment = withContext(named(context("env")), context);
  const mistakes = findMistakes(environment);
  if (mistakes.length > 0) {
    throw new SettingsError([`environment ${environment.name} cannot be built:`, ...mistakes].join("\n- "));
  }
  return environment;
}

function named(name: unknown): Environment {
  const names = Object.keys(environments).join(", ");
  if (name === undefined)
    throw new SettingsError(`env is missing; allowed: ${names} (for example: npx cdk synth -c env=dev)`);
  if (typeof name !== "string" || !Object.hasOwn(environments, name)) {
    throw new SettingsError(`env is ${JSON.stringify(name)}; allowed: ${names}`);
  }
  return environments[name as EnvironmentName];
}

function withContext(environment: Environment, context: (name: ContextSetting) => unknown): Environment {
  const emails = context("alertEmails");
  const budget = context("monthlyBudgetUsd");
  return {
    ...environment,
    lakeSql: (context("lakeSql") ?? environment.lakeSql) as Environment["lakeSql"],
    warehouse: withDatabase(environment, context("databaseUrl")),
    alarms: { ...environment.alarms, emails: emails === undefined ? environment.alarms.emails : list(emails) },
    monthlyBudgetUsd: budget === undefined ? environment.monthlyBudgetUsd : number(budget),
    ...withLineage(context("openLineageUrl")),
    schedulesEnabled: environment.schedulesEnabled && !isOff("schedules", context),
    reservesConcurrency: environment.reservesConcurrency && !isOff("reservesConcurrency", context),
    keepsData: environment.keepsData && !mayDelete(environment, context("deleteData")),
  };
}

function withDatabase({ name, warehouse }: Environment, url: unknown): Environment["warehouse"] {
  if (url === undefined) return warehouse;
  if (warehouse.kind === "postgres") return { kind: "postgres", databaseUrl: text(url) };
  throw new SettingsError(
    `databaseUrl is set for ${name}; allowed: for localstack only, as ${name} makes its own database`,
  );
}

function withLineage(url: unknown): Pick<Environment, "openLineageUrl"> {
  if (url === undefined) return {};
  if (/^https?:\/\/[^@\s]+$/.test(text(url))) return { openLineageUrl: text(url) };
  throw new SettingsError(
    `openLineageUrl is ${JSON.stringify(url)}; allowed: an address without a login, such as https://marquez.example.com`,
  );
}

function mayDelete({ name }: Environment, confirmed: unknown): boolean {
  if (confirmed === undefined) return false;
  if (confirmed === name) return true;
  throw new SettingsError(
    `deleteData is ${JSON.stringify(confirmed)}; allowed: ${name}, to say that all data of ${name} may go`,
  );
}

function isOff(name: ContextSetting, context: (name: ContextSetting) => unknown): boolean {
  const given = context(name);
  if (given === undefined) return false;
  if (given === "off") return true;
  throw new SettingsError(`${name} is ${JSON.stringify(given)}; allowed: off, or nothing`);
}

/** What CDK itself puts into the context: feature flags, what its command line says, and (with a colon) what it has looked up. */
const ofCdk = /^(@aws-cdk\/|aws-cdk|cli-|[^:]+:)/;

/** Throws a sentence where the context has names that say nothing here: a misspelt setting would count as not set. */
export function rejectUnknown(names: readonly string[]): void {
  const unknown = names.filter((name) => !ofCdk.test(name) && !Object.hasOwn(contextSettings, name));
  if (unknown.length === 0) return;
  throw new SettingsError(
    `context has ${unknown.join(", ")}, which nothing here reads; allowed: ${Object.keys(contextSettings).join(", ")}`,
  );
}

/** A number that the command line gives as text; what is none stays as it was given, and is quoted where it is refused. */
const number = (value: unknown): number =>
  typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : (value as number);

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const list = (value: unknown): string[] =>
  (Array.isArray(value) ? value.map(text) : text(value).split(",")).map((entry) => entry.trim()).filter(Boolean);
