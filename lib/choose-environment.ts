import { findMistakes } from "./check-config.ts";
import { environments, SettingsError, type Environment, type EnvironmentName } from "./config.ts";

/** Context settings and their descriptions. */
export const contextSettings = {
  env: "the environment: dev, staging, prod or localstack",
  alertEmails: "recipients of alarms: addresses separated by commas",
  monthlyBudgetUsd: "monthly budget of the account, US dollars",
  lakeSql: "athena or duckdb",
  schedules: "off disables all schedules; landing continues",
  reservesConcurrency: "off reserves no concurrent executions, for an account with a low limit",
  openLineageUrl: "OpenLineage endpoint that receives the workflows' runs, such as https://marquez.example.com",
  databaseUrl: "localstack only: the PostgreSQL of gold",
  networkCidr: "private addresses of the warehouse's network, such as 10.71.0.0/24; only before the first deployment",
  deleteData: "the environment's name again: its data is deleted with the stacks (the first of two steps)",
} as const;

export type ContextSetting = keyof typeof contextSettings;

/**
 * The environment named by `env`, with the other context settings applied. Throws a SettingsError that lists every
 * missing or invalid setting with the given and the allowed values.
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
    warehouse: withNetwork(environment.name, withDatabase(environment, context("databaseUrl")), context("networkCidr")),
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
    `databaseUrl is set for ${name}; allowed: only for localstack, because ${name} creates its own database`,
  );
}

function withNetwork(
  name: EnvironmentName,
  warehouse: Environment["warehouse"],
  cidr: unknown,
): Environment["warehouse"] {
  if (cidr === undefined) return warehouse;
  if (warehouse.kind === "aurora") return { ...warehouse, networkCidr: text(cidr) };
  throw new SettingsError(`networkCidr is set for ${name}; allowed: only for an environment with its own database`);
}

function withLineage(url: unknown): Pick<Environment, "openLineageUrl"> {
  if (url === undefined) return {};
  if (/^https?:\/\/[^@\s]+$/.test(text(url))) return { openLineageUrl: text(url) };
  throw new SettingsError(
    `openLineageUrl is ${JSON.stringify(url)}; allowed: an address without login, such as https://marquez.example.com`,
  );
}

function mayDelete({ name }: Environment, confirmed: unknown): boolean {
  if (confirmed === undefined) return false;
  if (confirmed === name) return true;
  throw new SettingsError(
    `deleteData is ${JSON.stringify(confirmed)}; allowed: ${name}, to confirm that all data of ${name} may be deleted`,
  );
}

function isOff(name: ContextSetting, context: (name: ContextSetting) => unknown): boolean {
  const given = context(name);
  if (given === undefined) return false;
  if (given === "off") return true;
  throw new SettingsError(`${name} is ${JSON.stringify(given)}; allowed: off, or nothing`);
}

/** Context keys of CDK itself: feature flags, command line settings and (with a colon) cached lookups. */
const ofCdk = /^(@aws-cdk\/|aws-cdk|cli-|[^:]+:)/;

/** Throws on unknown context names, because a misspelt setting would be ignored silently. */
export function rejectUnknown(names: readonly string[]): void {
  const unknown = names.filter((name) => !ofCdk.test(name) && !Object.hasOwn(contextSettings, name));
  if (unknown.length === 0) return;
  throw new SettingsError(
    `context has unknown settings ${unknown.join(", ")}; allowed: ${Object.keys(contextSettings).join(", ")}`,
  );
}

/**
 * Parses a number that the command line gives as text; anything else is returned unchanged and rejected by the checks.
 */
const number = (value: unknown): number =>
  typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : (value as number);

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const list = (value: unknown): string[] =>
  (Array.isArray(value) ? value.map(text) : text(value).split(",")).map((entry) => entry.trim()).filter(Boolean);
