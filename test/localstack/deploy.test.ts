import { expect, test } from "vitest";
import { checkLoopback } from "../../localstack/health.ts";
import { clientEnvironment, serverEnvironment } from "../../localstack/environment.ts";
import { unsupportedTypes } from "../../localstack/deploy.ts";
import { localStackDirectory } from "../../targets/localstack-directory.ts";

test.each(["http://127.0.0.1:4566", "http://127.1.2.3:1", "http://localhost:4566", "http://[::1]:4566"])(
  "%s is on this machine",
  (endpoint) => {
    expect(() => checkLoopback(endpoint)).not.toThrow();
  },
);

test.each([
  "https://cloudformation.us-east-1.amazonaws.com",
  "http://127.0.0.1.example.com",
  "http://localhost.localstack.cloud:4566",
  "http://10.0.0.1:4566",
])("a deployment to %s is rejected", (endpoint) => {
  expect(() => checkLoopback(endpoint)).toThrow(`AWS_ENDPOINT_URL ${endpoint} is not on this machine`);
});

test("resource types that LocalStack silently ignores are found in a template", () => {
  const types = [
    "AWS::S3::Bucket",
    "AWS::RDS::DBCluster",
    "Custom::Trigger",
    "AWS::RDS::DBCluster",
    "AWS::Glue::Table",
  ];
  const Resources = Object.fromEntries(types.map((Type, i) => [`R${i}`, { Type }]));
  expect(unsupportedTypes({ Resources })).toEqual(["AWS::Glue::Table", "AWS::RDS::DBCluster"]);
  expect(unsupportedTypes({})).toEqual([]);
});

test("a client of LocalStack gets no credentials of a real account", () => {
  expect(clientEnvironment("http://127.0.0.1:4566")).toMatchObject({
    AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_CONFIG_FILE: "/dev/null",
  });
});

test("LocalStack gets none of the caller's credentials, and writes only to its data folder", () => {
  process.env["AWS_SECRET_ACCESS_KEY"] = "the caller's own";
  try {
    const variables = serverEnvironment(localStackDirectory("/somewhere"), 4566);
    expect(Object.keys(variables).filter((name) => name.startsWith("AWS"))).toEqual([]);
    for (const name of ["HOME", "TMPDIR", "FILESYSTEM_ROOT"]) expect(variables[name]).toMatch(/^\/somewhere\//);
    // If it believes that it runs in its own image, as in any container, it uses the image's folders.
    expect(variables["OVERRIDE_IN_DOCKER"]).toBe("0");
  } finally {
    delete process.env["AWS_SECRET_ACCESS_KEY"];
  }
});
