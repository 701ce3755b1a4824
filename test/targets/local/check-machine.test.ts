import { expect, it } from "vitest";
import { describeSystem, machineChecks } from "../../../targets/local/check-machine.ts";

const linux = "Linux version 6.8.0-31-generic (buildd@lcy02) #31-Ubuntu SMP";
const wsl2 = "Linux version 5.15.153.1-microsoft-standard-WSL2 (root@941d701f84f1) #1 SMP";

it("the doctor checks the operating system first", () => {
  expect(machineChecks("/nowhere/at/all")[0]).toMatchObject({ name: "system" });
});

it("the check rejects Windows and names WSL2", () => {
  expect(() => describeSystem("win32", "x64", "")).toThrow(
    "Windows is supported through WSL2: run this inside a WSL2 distribution, see README.md",
  );
});

it("the check explains under WSL2 how Power BI Desktop reaches this machine", () => {
  expect(describeSystem("linux", "x64", wsl2)).toBe(
    "Linux under WSL2; Power BI Desktop on Windows reaches this machine at 127.0.0.1",
  );
});

it("the check names the platform and architecture of other systems", () => {
  expect(describeSystem("linux", "arm64", linux)).toBe("linux arm64");
  expect(describeSystem("darwin", "arm64", "")).toBe("darwin arm64");
});
