import { words } from "./format.ts";

/** The part of an Amazon States Language definition that the drawing needs. */
export interface Definition {
  Comment?: string;
  StartAt: string;
  States: Record<string, StateOf>;
}

interface StateOf {
  Type: string;
  Comment?: string;
  Next?: string;
  Default?: string;
  End?: boolean;
  ResultPath?: string;
  Choices?: { Next: string }[];
  Catch?: { Next: string }[];
  ItemProcessor?: Definition;
}

interface Box {
  name: string;
  state: StateOf;
  x: number;
  y: number;
  width: number;
  height: number;
}

const [top, left, wide, tall, gap, inset] = [8, 12, 248, 30, 24, 16];

/** Places the states below each other, in the order of the definition; a map holds its own states. */
function layout({ States }: Definition, { x, y, width }: { x: number; y: number; width: number }): Box[] {
  const boxes: Box[] = [];
  let at = y;
  for (const [name, state] of Object.entries(States)) {
    const inner =
      state.ItemProcessor === undefined
        ? []
        : layout(state.ItemProcessor, { x: x + inset, y: at + tall, width: width - 2 * inset });
    const bottom = inner.reduce((most, box) => Math.max(most, box.y + box.height), at + tall - 10) + 10;
    boxes.push({ name, state, x, y: at, width, height: bottom - at }, ...inner);
    at = bottom + gap;
  }
  return boxes;
}

/** What a run did in a state, as far as its output and error say. */
export type Outcome = "ok" | "bad" | "skipped" | "unknown";

/** Says what a run did in each state: a state whose result is in the run's output has ended. */
export function outcomes(
  { States }: Definition,
  run: { output: Record<string, unknown>; error: string | null },
): Map<string, Outcome> {
  const found = new Map<string, Outcome>();
  for (const [name, state] of Object.entries(States)) {
    const field = /^\$\.(\w+)$/.exec(state.ResultPath ?? "")?.[1];
    const hasResult = field !== undefined && run.output[field] !== undefined;
    if (run.error !== null) found.set(name, "unknown");
    else if (field !== undefined) found.set(name, hasResult ? "ok" : "skipped");
    else found.set(name, state.Type === "Choice" || state.End === true ? "ok" : "skipped");
    if (state.ItemProcessor !== undefined)
      for (const inner of Object.keys(state.ItemProcessor.States)) {
        const items = field === undefined ? undefined : run.output[field];
        found.set(inner, run.error !== null ? "unknown" : Array.isArray(items) && items.length > 0 ? "ok" : "skipped");
      }
  }
  return found;
}

/** A state machine, drawn from its definition, with what a run did. */
export function StateMachine({
  name,
  definition,
  did,
}: {
  name: string;
  definition: Definition;
  did?: ReadonlyMap<string, Outcome>;
}) {
  const boxes = layout(definition, { x: left, y: top, width: wide });
  const byName = new Map(boxes.map((box) => [box.name, box]));
  const height = Math.max(...boxes.map((box) => box.y + box.height)) + 8;
  const states = boxes.map(
    (box) => `${box.name}: ${box.state.Type}${did === undefined ? "" : `, ${did.get(box.name)}`}`,
  );
  return (
    <svg class="chart sm-drawing" width="360" height={height} viewBox={`0 0 360 ${height}`} role="img">
      <title>{`${words(name)}, as its definition says: ${states.join("; ")}`}</title>
      {boxes.flatMap((box) =>
        edgesOf(box).map((edge) => (
          <Edge key={`${box.name} ${edge.to}`} from={box} to={byName.get(edge.to)} label={edge.label} />
        )),
      )}
      {boxes.map(({ name: state, state: { Type: type }, ...box }) => {
        const outcome = did?.get(state) ?? "unknown";
        const shape =
          outcome === "ok" ? "sm-ok" : outcome === "skipped" ? "sm-skip" : outcome === "bad" ? "sm-bad" : "";
        return (
          <g key={state}>
            <rect class={`${type === "Map" ? "sm-map" : "sm-box"} ${shape}`} {...box} rx={type === "Choice" ? 13 : 4} />
            <text class="tk" x={box.x + 28} y={box.y + 19}>
              {state}
            </text>
            <text x={box.x + box.width - 10} y={box.y + 19} class="end">
              {type}
            </text>
            {outcome === "ok" && <path class="sm-tick" d={`M${box.x + 11} ${box.y + 15}l3 3 6-6`} />}
          </g>
        );
      })}
    </svg>
  );
}

function edgesOf({ state }: Box): { to: string; label: string }[] {
  return [
    ...(state.Next === undefined ? [] : [{ to: state.Next, label: "" }]),
    ...(state.Choices ?? []).map((choice) => ({ to: choice.Next, label: "if so" })),
    ...(state.Default === undefined ? [] : [{ to: state.Default, label: state.Choices === undefined ? "" : "else" }]),
  ];
}

/** Straight down to the next state; around the side to any other. */
function Edge({ from, to, label }: { from: Box; to: Box | undefined; label: string }) {
  if (to === undefined) return null;
  const [bottom, isBack] = [from.y + from.height, to.y <= from.y];
  const isNext = !isBack && to.y - bottom <= gap + 1;
  if (isNext) {
    const x = from.x + 24;
    return (
      <g>
        <path class="sm-edge" d={`M${x} ${bottom}V${to.y - 5}`} />
        <path class="sm-tip" d={`M${x - 4} ${to.y - 7}h8l-4 7Z`} />
        {label !== "" && (
          <text x={x + 8} y={bottom + 17}>
            {label}
          </text>
        )}
      </g>
    );
  }
  const side = from.x + from.width;
  const bend = side + (isBack ? 54 : 34);
  const [start, end] = [from.y + 15, to.y + 15];
  return (
    <g>
      <path
        class="sm-edge dashed"
        d={`M${side} ${start}H${bend - 6}Q${bend} ${start} ${bend} ${start + (isBack ? -6 : 6)}V${end + (isBack ? 6 : -6)}Q${bend} ${end} ${bend - 6} ${end}H${side + 8}`}
      />
      <path class="sm-tip" d={`M${side + 9} ${end - 4}v8l-7-4Z`} />
      {label !== "" && (
        <text class="halo" x={bend + 5} y={(start + end) / 2 + 4}>
          {label}
        </text>
      )}
    </g>
  );
}
