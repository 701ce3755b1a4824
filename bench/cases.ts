import type { Case } from "./case.ts";

const modules: Record<string, () => Promise<{ default: Case }>> = {
  landing: () => import("./cases/landing.ts"),
  refining: () => import("./cases/refining.ts"),
  "refining-classic": () => import("./cases/refining-classic.ts"),
  facts: () => import("./cases/facts.ts"),
  publishing: () => import("./cases/publishing.ts"),
  growth: () => import("./cases/growth.ts"),
  freshness: () => import("./cases/freshness.ts"),
  memory: () => import("./cases/memory.ts"),
};

/** The cases in the order in which they run. */
export const caseNames = Object.keys(modules);

/** Loads one case; throws for a name that is none. */
export async function loadCase(name: string): Promise<Case> {
  const load = modules[name];
  if (load === undefined) throw new Error(`case ${name}: choose from ${caseNames.join(", ")}`);
  return (await load()).default;
}
