import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkFolder, makeFolders, removeFolder, removeRun } from "../../localstack/data-folder.ts";
import { localStackDirectory } from "../../targets/localstack-directory.ts";
import { start } from "../../localstack/start.ts";
import { stop } from "../../localstack/stop.ts";

const root = mkdtempSync(join(tmpdir(), "pizza-folder-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;

/** A folder with these files. */
function folderWith(files: Record<string, string>): string {
  const dir = join(root, `folder ${(count += 1)}`);
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

const contents = (dir: string) => {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    found.map(({ parentPath, name }) => [
      join(parentPath, name).slice(dir.length + 1),
      readFileSync(join(parentPath, name), "utf8"),
    ]),
  );
};

/** Another project, with some of the names in LocalStack's folder. */
const project = {
  "package.json": '{ "name": "theirs" }\n',
  ".gitignore": "dist\n",
  "tmp/important": "1",
  "postgres/dump.sql": "select 1;",
};

describe("a folder with foreign files", () => {
  test.each([["start"], ["stop"], ["status"], ["deploy"], ["demo"], ["schedule"], ["clean"]])(
    "is rejected by %s, which changes nothing in it",
    (command) => {
      const dir = folderWith(project);
      // If it were not rejected, these settings would still prevent a start.
      const env = { ...process.env, PYTHON: "/no/such", AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
      const args = ["bin/localstack.ts", command, "--dir", dir];
      const { status, stderr } = spawnSync(process.execPath, args, { env, timeout: 200_000 });
      expect({ status, stderr: stderr.toString() }).toEqual({
        status: 1,
        stderr: expect.stringContaining(`${dir} is not a LocalStack data folder: nothing in it was changed`),
      });
      expect(contents(dir)).toEqual(project);
    },
  );

  test("is rejected by every function that writes or deletes there", async () => {
    const dir = folderWith(project);
    const directory = localStackDirectory(dir);
    const rejection = "is not a LocalStack data folder";
    for (const act of [makeFolders, removeRun, removeFolder]) expect(() => act(directory)).toThrow(rejection);
    await expect(stop(directory)).rejects.toThrow(rejection);
    await expect(start(directory, { port: 1, say: () => {}, platform: "darwin" })).rejects.toThrow(rejection);
    expect(contents(dir)).toEqual(project);
  });

  test("is rejected even if it has only names that we use", () => {
    const dir = folderWith({ "tmp/important": "1" });
    expect(() => checkFolder(localStackDirectory(dir))).toThrow("nothing in it was changed");
  });
});

test("an empty or new folder becomes a data folder, and clean removes it", () => {
  for (const dir of [folderWith({}), join(root, "new", "one")]) {
    const directory = localStackDirectory(dir);
    makeFolders(directory);
    makeFolders(directory);
    expect(removeFolder(directory)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    expect(removeFolder(directory)).toEqual([]);
  }
});

test("a folder of an earlier version, without a marker, is accepted and gets one", () => {
  const dir = folderWith({ ".gitignore": "*\n", "package.json": "{}\n", "venv/bin/python": "", "logs/cdk.log": "" });
  const directory = localStackDirectory(dir);
  removeRun(directory);
  makeFolders(directory);
  expect(existsSync(directory.marker)).toBe(true);
  writeFileSync(join(dir, "package.json"), "changed");
  expect(() => checkFolder(directory)).not.toThrow();
});

test("clean keeps foreign files in the data folder", () => {
  const dir = folderWith({});
  const directory = localStackDirectory(dir);
  makeFolders(directory);
  writeFileSync(join(dir, "notes"), "mine");
  expect(removeFolder(directory)).toEqual(["notes"]);
  expect(contents(dir)).toEqual({ notes: "mine" });
});
