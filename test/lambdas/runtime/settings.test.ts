import { afterEach, describe, expect, it, vi } from "vitest";
import { lazy } from "../../../lambdas/runtime/create-handler.ts";
import { jsonSetting, setting } from "../../../lambdas/runtime/settings.ts";

afterEach(() => vi.unstubAllEnvs());

describe("a setting", () => {
  it("comes from the environment", () => {
    vi.stubEnv("LAKE_BUCKET", "pizza-lake-1");
    expect(setting("LAKE_BUCKET")).toBe("pizza-lake-1");
  });

  it.each([
    ["LAKE_BUCKET", "s3://pizza-lake", "the name of the lake's bucket"],
    ["CLUSTER_ARN", "pizza", "the ARN of the Aurora cluster"],
    ["LAKE_SQL", "spark", "athena or duckdb"],
    ["WAREHOUSE", "aurora", "data-api or postgres"],
    ["CUSTOMERS_EVERY_SECONDS", "1h", "the interval between publications of the customer rows, in seconds"],
  ] as const)("%s rejects %j and describes a valid value", (name, value, is) => {
    vi.stubEnv(name, value);
    expect(() => setting(name)).toThrow(`setting ${name} is "${value}": set it to ${is}`);
    vi.stubEnv(name, "");
    expect(() => setting(name)).toThrow(`setting ${name} is missing: set it in the function's environment to ${is}`);
  });

  it("does not quote a secret", () => {
    vi.stubEnv("DATABASE_URL", "mysql://pizza:secret@127.0.0.1/pizza");
    expect(() => setting("DATABASE_URL")).toThrow(
      "setting DATABASE_URL is malformed: set it to the postgresql:// connection string",
    );
  });

  it("parses a JSON setting or rejects it", () => {
    vi.stubEnv("STATE_MACHINES", '{"backup":"arn:aws:states:1"}');
    expect(jsonSetting("STATE_MACHINES")).toEqual({ backup: "arn:aws:states:1" });
    vi.stubEnv("STATE_MACHINES", "{backup}");
    expect(() => jsonSetting("STATE_MACHINES")).toThrow("setting STATE_MACHINES is not JSON: set it to a JSON object");
  });
});

describe("a lazy resource", () => {
  it("is created at the first call, and again only if that failed", async () => {
    let calls = 0;
    const open = lazy(async () => {
      if ((calls += 1) === 1) throw new Error("not yet");
      return { calls };
    });
    await expect(open()).rejects.toThrow("not yet");
    const [first, second] = await Promise.all([open(), open()]);
    expect(first).toBe(second);
    expect(await open()).toEqual({ calls: 2 });
  });
});
