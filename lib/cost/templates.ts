import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A resource of a synthesised template. */
export interface Resource {
  id: string;
  type: string;
  properties: Record<string, unknown>;
}

/** Paths of an environment's synthesised templates in a folder such as `cdk.out`. */
export function templatePaths(folder: string, environment: string): string[] {
  return ["Stateful", "Stateless"].map((part) => join(folder, `PizzaSales-${environment}-${part}.template.json`));
}

/** Whether the folder contains both templates. */
export function hasTemplates(folder: string, environment: string): boolean {
  return templatePaths(folder, environment).every((path) => existsSync(path));
}

/** The resources of both stacks. */
export function readTemplates(folder: string, environment: string): Resource[] {
  return templatePaths(folder, environment).flatMap((path) => {
    const template = JSON.parse(readFileSync(path, "utf8")) as { Resources: Record<string, TemplateResource> };
    return Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => ({
      id,
      type: Type,
      properties: Properties,
    }));
  });
}

interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
}
