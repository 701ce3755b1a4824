import { readProjectJson } from "../../adapters/project-files.ts";

type Json = Record<string, unknown>;

interface State {
  Type: "Task" | "Choice" | "Map";
  Resource?: string;
  Parameters?: Json;
  InputPath?: string;
  ResultPath?: string;
  ItemsPath?: string;
  MaxConcurrency?: number;
  ItemProcessor?: Machine;
  Retry?: { ErrorEquals: string[]; MaxAttempts: number }[];
  Choices?: { Variable: string; Next: string; NumericGreaterThan?: number; BooleanEquals?: boolean }[];
  Default?: string;
  Next?: string;
}

interface Machine {
  StartAt: string;
  States: Record<string, State>;
}

/** The position of an execution: the next state and its input. */
export interface Progress {
  state: string | undefined;
  data: Json;
}

/** Stops an execution at its current state, without a retry. */
export class ExecutionStopped extends Error {}

export type Invoke = (name: string, input: Json) => Promise<unknown>;

/**
 * Runs a definition of `step-functions/` without a clock; supports the part of the language that the definitions use.
 */
export class StateMachine {
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  static load(name: string): StateMachine {
    return new StateMachine(readProjectJson(`step-functions/${name}.asl.json`));
  }

  begin(input: Json): Progress {
    return { state: this.machine.StartAt, data: input };
  }

  /** Runs to the end; `progress` tells how far it got if a state fails permanently. */
  async run(progress: Progress, invoke: Invoke): Promise<unknown> {
    let output: unknown = progress.data;
    while (progress.state !== undefined) {
      const state = this.machine.States[progress.state]!;
      if (state.Type === "Choice") {
        progress.state = chosen(state, progress.data);
        continue;
      }
      const result =
        state.Type === "Map" ? await mapItems(state, progress.data, invoke) : await task(state, progress.data, invoke);
      output = result;
      if (state.ResultPath !== undefined) progress.data = { ...progress.data, [state.ResultPath.slice(2)]: result };
      progress.state = state.Next;
    }
    return output;
  }
}

async function task({ Resource, Parameters, InputPath = "$", Retry = [] }: State, data: Json, invoke: Invoke) {
  const name = /^\$\{(\w+)\}$/.exec(Resource ?? "")?.[1];
  if (name === undefined) throw new Error(`state machine: ${Resource} names no function`);
  const input = Parameters === undefined ? valueAt(data, InputPath) : filled(Parameters, data);
  const retries = Retry.find(({ ErrorEquals }) => ErrorEquals.includes("States.ALL"))?.MaxAttempts ?? 0;
  for (let attempt = 0; ; attempt++) {
    try {
      return await invoke(name, input as Json);
    } catch (error) {
      if (attempt >= retries || error instanceof ExecutionStopped) throw error;
    }
  }
}

/** Processes items in order, `MaxConcurrency` at a time. */
async function mapItems({ ItemsPath = "$", ItemProcessor, MaxConcurrency = 1 }: State, data: Json, invoke: Invoke) {
  const items = valueAt(data, ItemsPath) as Json[];
  const results: unknown[] = [];
  const machine = new StateMachine(ItemProcessor!);
  const waiting = [...items.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next[0]] = await machine.run(machine.begin(next[1]), invoke);
    }
  };
  await Promise.all(Array.from({ length: MaxConcurrency }, work));
  return results;
}

function chosen({ Choices = [], Default }: State, data: Json): string | undefined {
  const fits = Choices.find(({ Variable, NumericGreaterThan, BooleanEquals }) => {
    const value = valueAt(data, Variable);
    return NumericGreaterThan === undefined ? value === BooleanEquals : Number(value) > NumericGreaterThan;
  });
  return fits?.Next ?? Default;
}

function filled(parameters: Json, data: Json): Json {
  return Object.fromEntries(
    Object.entries(parameters).map(([key, value]) =>
      key.endsWith(".$") ? [key.slice(0, -2), valueAt(data, String(value))] : [key, value],
    ),
  );
}

function valueAt(data: Json, path: string): unknown {
  const parts = path.split(".").slice(1);
  return parts.reduce<unknown>((value, part) => (value as Json | undefined)?.[part], data);
}
