import { describe, expect, test } from "vitest";
import { releaseNotes } from "../../scripts/release-notes.ts";
import { packageFile, projectFile } from "./project-file.ts";

const changelog = `# Changelog

## Unreleased

## 1.10.0 - 2026-11-30

### Added

- A receipt.

## 1.1.0 - 2026-11-01

## 1.0.0

- Everything.
`;

describe("release notes", () => {
  test("are exactly the section of that version", () => {
    expect(releaseNotes(changelog, "1.10.0")).toBe("### Added\n\n- A receipt.");
  });

  test.each([
    ["1.1", "no section for 1.1"],
    ["1.0.0", 'needs a date: "1.0.0 - YYYY-MM-DD"'],
    ["1.1.0", "the section for 1.1.0 in CHANGELOG.md is empty"],
  ])("cannot be made for %s", (version, reason) => {
    expect(() => releaseNotes(changelog, version)).toThrow(reason);
  });

  test("exist for the version in package.json", () => {
    expect(releaseNotes(projectFile("CHANGELOG.md"), packageFile().version)).not.toBe("");
  });
});
