import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;

function pizza(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { code: status, stdout, stderr };
}

describe("a command for a deployed home", () => {
  it.each([
    [["--home", "aws", "demo"], "pizza replay classic --wait"],
    [["--home=aws", "stop"], "landing goes on"],
    [["clean", "--yes", "--home", "aws"], "two steps"],
    [["start", "--home", "aws", "--env", "staging"], "staging on AWS: make deploy ENV=staging"],
    [["restart", "--home", "aws", "--env", "prod"], "make deploy ENV=prod puts the newest code up"],
    [["start", "--home", "localstack"], "LocalStack: make deploy ENV=localstack"],
    [["stop", "--home", "localstack"], "LocalStack: make stop-localstack"],
    [["restart", "--home", "localstack"], "LocalStack: make deploy ENV=localstack"],
    [["clean", "--home", "localstack"], "LocalStack: make stop-localstack"],
    [["demo", "--home", "localstack"], "LocalStack: make demo ENV=localstack"],
    [["produce", "--background", "--home", "aws"], "produce in the foreground"],
    [["--home", "aws", "--env", "Dev!", "status"], "give the name of an environment"],
    [["verify", "--home", "moon"], "choose one of embedded, localstack, aws"],
    [["verify", "--lake-sql", "athena"], "add --home aws"],
    [["logs", "--function", "LandRecords"], "add --home aws"],
    [["cost", "--env", "prod"], "say how many orders a day"],
  ])("%j ends with exit code 2 and says what is right", (args, sentence) => {
    expect(pizza(...args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(sentence) });
  });

  it("names the credentials where a store of one's own is tried without any, and wants no region", () => {
    const { AWS_PROFILE: _, AWS_REGION: __, AWS_ACCESS_KEY_ID: ___, ...others } = process.env;
    const env = { ...others, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" };
    const nobody = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
    const args = [script, "doctor", "--bucket", "lake"];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...env, ...nobody } });
    expect(stdout).toContain(
      "store at http://127.0.0.1:9: there are no credentials that it takes (CredentialsProviderError): set AWS_ACCESS_KEY_ID",
    );
  });

  it("may have its options in front of its name", () => {
    const { code, stdout } = pizza("--home", "aws", "--env", "prod", "query", "--help");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("usage: pizza query") });
  });
});
