import { spawnSync } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import { withProgress } from "../../bin/with-target.ts";
import { pizzaInProcess } from "../e2e/command-line-in-process.ts";

const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;

function pizza(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { code: status, stdout, stderr };
}

describe("a command for a deployed pipeline", () => {
  it.each([
    [["--target", "aws", "demo"], "./pizza replay classic --wait"],
    [["--target=aws", "stop"], "landing continues"],
    [["clean", "--yes", "--target", "aws"], "two steps"],
    [["start", "--target", "aws", "--env", "staging"], "staging on AWS: make deploy ENV=staging"],
    [["restart", "--target", "aws", "--env", "prod"], "make deploy ENV=prod deploys the newest code"],
    [["start", "--target", "localstack"], "LocalStack: make deploy ENV=localstack"],
    [["stop", "--target", "localstack"], "LocalStack: make stop-localstack"],
    [["restart", "--target", "localstack"], "LocalStack: make deploy ENV=localstack"],
    [["clean", "--target", "localstack"], "LocalStack: make stop-localstack"],
    [["demo", "--target", "localstack"], "LocalStack: make demo ENV=localstack"],
    [["produce", "--background", "--target", "aws"], "produce in the foreground"],
    [["--target", "aws", "--env", "Dev!", "status"], "give the name of an environment"],
    [["verify", "--target", "moon"], "choose one of local, localstack, aws"],
    [["verify", "--lake-sql", "athena"], "add --target aws"],
    [["logs", "--function", "LandRecords"], "add --target aws"],
    [["cost", "--env", "prod"], "--orders-per-day is required"],
  ])("%j exits with code 2 and a correction", async (args, sentence) => {
    expect(await pizzaInProcess(...args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(sentence),
    });
  });

  it("names the missing credentials of a self-hosted store, and requires no region", () => {
    const { AWS_PROFILE: _, AWS_REGION: __, AWS_ACCESS_KEY_ID: ___, ...others } = process.env;
    const env = { ...others, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" };
    const nobody = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
    const args = [script, "doctor", "--bucket", "lake"];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...env, ...nobody } });
    expect(stdout).toContain(
      "store at http://127.0.0.1:9: credentials are missing or invalid (CredentialsProviderError): set AWS_ACCESS_KEY_ID",
    );
  });

  it("accepts common options before its name", () => {
    const { code, stdout } = pizza("--target", "aws", "--env", "prod", "query", "--help");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("usage: ./pizza query") });
  });
});

it("a long call shows on a terminal how far it is, and clears the line", async () => {
  const written: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const before = process.stderr.isTTY;
  process.stderr.isTTY = true;
  try {
    const progress = async () => [{ operation: "verify", done: 1200, total: 3000, unit: "bronze objects" }];
    const call = new Promise((resolve) => setTimeout(resolve, 400, "receipt"));
    expect(await withProgress({ progress }, call)).toBe("receipt");
  } finally {
    process.stderr.isTTY = before;
    write.mockRestore();
  }
  expect(written).toEqual(["\r\u001b[2Kverify: 1,200 of 3,000 bronze objects", "\r\u001b[2K"]);
});
