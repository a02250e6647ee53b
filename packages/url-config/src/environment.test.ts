import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_ENVIRONMENT,
  describeEnvironment,
  parseEnvironment,
  resolveEnvironmentSettings,
} from "./environment.ts";
import { UrlConfigError } from "./url-problem.ts";

describe("parseEnvironment", () => {
  test("an empty environment gives the defaults; so do empty and foreign variables", () => {
    expect(parseEnvironment({})).toEqual({ settings: DEFAULT_ENVIRONMENT, warnings: [] });
    const env = { NP_REPORT_INTERVAL: "", PATH: "/bin", NP_STATE_DIR: "/x", NP_WORKERS: "2" };
    expect(parseEnvironment(env)).toEqual({ settings: DEFAULT_ENVIRONMENT, warnings: [] });
  });

  test.each([
    ["NP_SEMAPHORE_LIMIT", "1024", { semaphoreLimit: 1_024 }],
    ["NP_TCP_DATA_BUF_SIZE", "16384", { tcpDataBufferBytes: 16_384 }],
    ["NP_UDP_DATA_BUF_SIZE", "16384", { udpDataBufferBytes: 16_384 }],
    ["NP_HANDSHAKE_TIMEOUT", "10s", { handshakeTimeoutMs: 10_000 }],
    ["NP_TCP_DIAL_TIMEOUT", "30s", { tcpDialTimeoutMs: 30_000 }],
    ["NP_UDP_DIAL_TIMEOUT", "1m", { udpDialTimeoutMs: 60_000 }],
    ["NP_UDP_READ_TIMEOUT", "20s", { udpReadTimeoutMs: 20_000 }],
    ["NP_POOL_GET_TIMEOUT", "1.5s", { poolGetTimeoutMs: 1_500 }],
    ["NP_MIN_POOL_INTERVAL", "200ms", { minPoolIntervalMs: 200 }],
    ["NP_MAX_POOL_INTERVAL", "2s", { maxPoolIntervalMs: 2_000 }],
    ["NP_REPORT_INTERVAL", "50ms", { reportIntervalMs: 50 }],
    ["NP_SERVICE_COOLDOWN", "1s", { serviceCooldownMs: 1_000 }],
    ["NP_SHUTDOWN_TIMEOUT", "0", { shutdownTimeoutMs: 0 }],
    ["NP_RELOAD_INTERVAL", "30m", { reloadIntervalMs: 1_800_000 }],
  ])("%s=%s", (name, text, change) => {
    expect(parseEnvironment({ [name]: text })).toEqual({
      settings: { ...DEFAULT_ENVIRONMENT, ...change },
      warnings: [],
    });
  });

  test("reports every bad value at once", () => {
    const env = { NP_SEMAPHORE_LIMIT: "-1", NP_REPORT_INTERVAL: "5", NP_RELOAD_INTERVAL: "0" };
    expect(() => parseEnvironment(env)).toThrow(
      expect.objectContaining({
        name: "UrlConfigError",
        code: "INVALID_ENVIRONMENT",
        problems: [
          expect.objectContaining({ parameter: "NP_SEMAPHORE_LIMIT", value: "-1" }),
          expect.objectContaining({ parameter: "NP_REPORT_INTERVAL", value: "5" }),
          expect.objectContaining({ parameter: "NP_RELOAD_INTERVAL", value: "0" }),
        ],
      }),
    );
  });

  test("takes the default for a bad value when lenient, and says so", () => {
    const { settings, warnings } = parseEnvironment(
      { NP_REPORT_INTERVAL: "5", NP_SERVICE_COOLDOWN: "1s" },
      { lenient: true },
    );
    expect(settings).toEqual({ ...DEFAULT_ENVIRONMENT, serviceCooldownMs: 1_000 });
    expect(warnings).toMatchObject([{ taken: "the default 5s is used" }]);
  });

  test("keeps the two pool intervals in order", () => {
    const env = { NP_MIN_POOL_INTERVAL: "3s", NP_MAX_POOL_INTERVAL: "2s" };
    expect(() => parseEnvironment(env)).toThrow(/NP_MIN_POOL_INTERVAL "3s"/);
    const { settings } = parseEnvironment(env, { lenient: true });
    expect(settings).toMatchObject({ minPoolIntervalMs: 2_000, maxPoolIntervalMs: 2_000 });
  });

  test("warns of a mistyped name without its value", () => {
    const { warnings } = parseEnvironment({ NP_REPORT_INTERVALL: "QXZ" });
    expect(warnings).toMatchObject([{ code: "UNKNOWN_PARAMETER", allowed: "NP_REPORT_INTERVAL" }]);
    expect(JSON.stringify(warnings)).not.toContain("QXZ");
  });

  test("throws nothing but its own error", () => {
    const names = describeEnvironment().map(({ name }) => name);
    const values = fc.oneof(fc.string(), fc.stringMatching(/^-?[0-9]{1,8}(ms|s|m|h)?$/));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), values), (env) => {
        try {
          parseEnvironment(env);
        } catch (error) {
          expect(error).toBeInstanceOf(UrlConfigError);
        }
        expect(parseEnvironment(env, { lenient: true }).settings).toBeDefined();
      }),
    );
  });
});

test("the table names every setting once, and its defaults are what they set", () => {
  const table = describeEnvironment();
  expect(table.map(({ field }) => field).sort()).toEqual(Object.keys(DEFAULT_ENVIRONMENT).sort());
  const env = Object.fromEntries(table.map(({ name, defaultText }) => [name, defaultText]));
  expect(parseEnvironment(env).settings).toEqual(DEFAULT_ENVIRONMENT);
});

test.each([
  [
    { reportIntervalMs: -1 },
    'reportIntervalMs "-1" is not valid (allowed: a number of ms, 1 to 2145600000)',
  ],
  [
    { reportIntervalMs: Number.NaN },
    'reportIntervalMs "NaN" is not valid (allowed: a number of ms, 1 to 2145600000)',
  ],
  [
    { poolGetTimeoutMs: "x" },
    'poolGetTimeoutMs "\\"x\\"" is not valid (allowed: a number of ms, 1 to 2145600000)',
  ],
  [
    { semaphoreLimit: 1.5 },
    'semaphoreLimit "1.5" is not valid (allowed: a whole number, 1 to 1000000)',
  ],
  [
    { poolGetTimeout: 5 },
    /^poolGetTimeout is no such field; did you mean poolGetTimeoutMs\? \(allowed: semaphoreLimit, /,
  ],
  [
    { minPoolIntervalMs: 2000 },
    'minPoolIntervalMs "2000" is not valid (allowed: at most maxPoolIntervalMs, 1000)',
  ],
])("limits of a program are checked like the environment's: %j", (limits, message) => {
  expect(resolveEnvironmentSettings(limits)).toMatchObject([
    { message: typeof message === "string" ? message : expect.stringMatching(message) },
  ]);
});

test("limits of a program: what is missing or undefined takes its default", () => {
  expect(resolveEnvironmentSettings({ udpReadTimeoutMs: 5, reportIntervalMs: undefined })).toEqual({
    ...DEFAULT_ENVIRONMENT,
    udpReadTimeoutMs: 5,
  });
});
