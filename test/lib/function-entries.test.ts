import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { functionEntries, functionNames, type FunctionName } from "../../lib/function-entries.ts";
import { readWorkflows, workflowFolder } from "../../lib/workflow-files.ts";
import { ofType, synthesise, type Template } from "./synthesise.ts";

interface State {
  Type: string;
  Resource?: string;
  Branches?: StateMachine[];
  ItemProcessor?: StateMachine;
  Iterator?: StateMachine;
}

interface StateMachine {
  States: Record<string, State>;
}

/** Every task state, including those in branches and loops: its name and the resource that it calls. */
function tasks({ States }: StateMachine): { state: string; resource: string }[] {
  return Object.entries(States).flatMap(([state, { Type, Resource, Branches = [], ItemProcessor, Iterator: loop }]) => [
    ...(Type === "Task" ? [{ state, resource: Resource! }] : []),
    ...[...Branches, ItemProcessor, loop].flatMap((inner) => (inner === undefined ? [] : tasks(inner))),
  ]);
}

const kebab = (name: string): string => name.replaceAll(/\B[A-Z]/g, "-$&").toLowerCase();
const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** The callers of functions that are not a workflow's state: the type of the resource that names each, or a command. */
const otherCallers = {
  LandRecords: "AWS::Lambda::EventSourceMapping",
  RecordLineage: "AWS::Events::Rule",
  StartWorkflow: "AWS::Scheduler::Schedule",
  MigrateWarehouse: "Custom::Trigger",
  RotatePassword: "AWS::SecretsManager::RotationSchedule",
  RestoreBackup: "./pizza restore",
} as const satisfies Partial<Record<FunctionName, string>>;

const states = readWorkflows(workflowFolder).flatMap(({ name, definition }) =>
  tasks(JSON.parse(definition) as StateMachine).map((task) => ({ workflow: name, ...task })),
);

describe("a function's name", () => {
  test.each(states)("is that of its state: $state of $workflow", ({ state, resource }) => {
    const words = state.split(" ").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    expect(resource).toBe(`\${${words.join("")}}`);
  });

  test.each(functionNames)("is that of its file and its use case: %s", (name) => {
    const { entry } = functionEntries[name];
    expect(entry).toMatch(/^lambdas\/[a-z]+\/[a-z-]+\.ts$/);
    expect(basename(entry, ".ts")).toBe(kebab(name));
    const text = readFileSync(entry, "utf8");
    const useCase = new RegExp(
      String.raw`^import \{[^}]*\b${camel(name)}\b[^}]*\} from "\.\./\.\./(pipeline/.+)";$`,
      "m",
    );
    const [, path] = useCase.exec(text) ?? [];
    expect(path, `${entry} imports no ${camel(name)} from pipeline/`).toBeDefined();
    expect(existsSync(path!)).toBe(true);
    expect(readFileSync(path!, "utf8")).toMatch(
      new RegExp(String.raw`^export (async )?function ${camel(name)}\b`, "m"),
    );
  });
});

describe("the caller", () => {
  test("is a workflow's state, a service or a command, for every function", () => {
    const called = states.map(({ resource }) => resource.slice(2, -1));
    expect([...new Set([...called, ...Object.keys(otherCallers)])].toSorted()).toEqual([...functionNames].toSorted());
    for (const name of Object.keys(otherCallers)) expect(called).not.toContain(name);
  });

  test.each(Object.entries(otherCallers).filter(([, caller]) => !caller.startsWith("./")))(
    "of %s is %s",
    (name, caller) => {
      expect(callersOf(synthesise("dev").stateless, name)).toContain(caller);
    },
  );

  test("of RestoreBackup is only ./pizza restore, and nothing deployed", () => {
    const { stateless } = synthesise("dev");
    const callers = callersOf(stateless, "RestoreBackup");
    expect(
      callers.filter((type) => /EventSourceMapping|Rule|Schedule|Trigger|StateMachine|Permission/.test(type)),
    ).toEqual([]);
    expect(readFileSync("targets/aws/connections.ts", "utf8")).toContain('functions["RestoreBackup"]');
  });
});

/** Types of the resources that name a function or one of its versions. */
function callersOf(template: Template, name: string): string[] {
  const own = (type: string, ids: string[]) =>
    ofType(template, type)
      .filter(([, resource]) => ids.some((id) => JSON.stringify(resource).includes(`"${id}"`)))
      .map(([id]) => id);
  const functions = ofType(template, "AWS::Lambda::Function")
    .map(([id]) => id)
    .filter((id) => new RegExp(`${name}[0-9A-F]{8}$`).test(id));
  expect(functions, name).toHaveLength(1);
  const ids = [...functions, ...own("AWS::Lambda::Version", functions)];
  const naming = Object.values(template.Resources).filter((resource) =>
    ids.some((id) => JSON.stringify(resource).includes(`"${id}"`)),
  );
  return [...new Set(naming.map(({ Type }) => Type))];
}
