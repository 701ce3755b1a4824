import { expect, test } from "vitest";
import { packageFile, projectFile } from "./project-file.ts";

const { packages }: { packages: Record<string, { hasInstallScript?: boolean }> } = JSON.parse(
  projectFile("package-lock.json"),
);

test("every package with an install script, for any platform, is listed in allowScripts", () => {
  const withScript = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
  expect(Object.keys(packageFile().allowScripts).toSorted()).toEqual([...new Set(withScript)].toSorted());
});

test("all files that choose a Node version choose the same one", () => {
  const { node } = packageFile().devDependencies;
  expect(projectFile(".nvmrc").trim()).toBe(node);
  expect(projectFile(".devcontainer/devcontainer.json")).toMatch(`"version": "${node}"`);
});
