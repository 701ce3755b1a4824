import { readFileSync } from "node:fs";
import { StateMachine, type ExecutionError } from "aws-local-stepfunctions";
import { errorMessage } from "../../pipeline/domain/errors.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Functions of Task states by placeholder name: `${RefineSilver}` calls `RefineSilver`. */
export type Functions = Record<string, (input: never) => Promise<unknown>>;

interface Definition {
  States: Record<string, { Type: string; Resource?: string; ItemProcessor?: Definition }>;
}

/** A state machine of `step-functions/`, bound to functions in this process. */
export interface Workflow {
  name: string;
  /**
   * Runs one execution to its end. Throws the failed state's error, prefixed with the workflow's name. `onStep` is called
   * when a Task state begins, and when it has ended or failed.
   */
  run(input: Json, onStep?: (step: Step) => void): Promise<Record<string, unknown>>;
}

/** What happens to a Task state. A failure may be followed by another attempt: the definition says how often. */
export interface Step {
  state: string;
  phase: "entered" | "ended" | "failed";
  milliseconds: number;
  error?: unknown;
}

/** Loads `<name>.asl.json` and binds each placeholder to a function; throws on an unknown placeholder. */
export function loadWorkflow(name: string, functions: Functions): Workflow {
  const path = new URL(`../../step-functions/${name}.asl.json`, import.meta.url);
  const text = readFileSync(path, "utf8");
  const handlers = handlersOf(name, JSON.parse(text) as Definition, functions);
  const machine = new StateMachine(
    JSON.parse(text.replaceAll(/\$\{(\w+)\}/g, "arn:aws:lambda:eu-west-1:000000000000:function:$1")),
    // The tests validate the definitions; doing it here would cost a third of a second per start.
    { validationOptions: { noValidate: true } },
  );
  return {
    name,
    async run(input, onStep = () => {}) {
      const overrides = { taskResourceLocalHandlers: watched(handlers, onStep) };
      const execution = machine.run(input, { overrides });
      try {
        return (await execution.result) as Record<string, unknown>;
      } catch (error) {
        const cause = (error as ExecutionError).cause ?? error;
        throw new Error(`workflow ${name} failed: ${errorMessage(cause)}`, {
          cause: error,
        });
      }
    },
  };
}

type Handlers = Record<string, (input: unknown) => Promise<Json>>;

/** The same handlers, reported as they begin and end. */
function watched(handlers: Handlers, onStep: (step: Step) => void): Handlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([state, handler]) => [
      state,
      async (input: unknown) => {
        const started = performance.now();
        const elapsed = () => performance.now() - started;
        onStep({ state, phase: "entered", milliseconds: 0 });
        try {
          const output = await handler(input);
          onStep({ state, phase: "ended", milliseconds: elapsed() });
          return output;
        } catch (error) {
          onStep({ state, phase: "failed", milliseconds: elapsed(), error });
          throw error;
        }
      },
    ]),
  );
}

function handlersOf(workflow: string, definition: Definition, functions: Functions) {
  const handlers: Handlers = {};
  for (const [state, { Resource, ItemProcessor }] of Object.entries(definition.States)) {
    if (ItemProcessor !== undefined) Object.assign(handlers, handlersOf(workflow, ItemProcessor, functions));
    const name = /^\$\{(\w+)\}$/.exec(Resource ?? "")?.[1];
    if (Resource === undefined) continue;
    const call = name === undefined ? undefined : functions[name];
    if (call === undefined)
      throw new Error(`workflow ${workflow}: state "${state}" calls ${Resource}, but no such function exists`);
    handlers[state] = async (input) => (await call(input as never)) as Json;
  }
  return handlers;
}
