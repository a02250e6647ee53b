import { describe, expect, it } from "vitest";
import { readMasterEnvironment, stateDirectory } from "./master-environment.ts";

describe("stateDirectory", () => {
  it.each([
    [{}, "/home/me/.local/state/nodepass"],
    [{ XDG_STATE_HOME: "/xdg" }, "/xdg/nodepass"],
    [{ XDG_STATE_HOME: "xdg" }, "/home/me/.local/state/nodepass"],
    [{ XDG_STATE_HOME: "" }, "/home/me/.local/state/nodepass"],
    [{ NP_STATE_DIR: "here", XDG_STATE_HOME: "/xdg" }, "here"],
    [{ NP_STATE_DIR: "", XDG_STATE_HOME: "/xdg" }, "/xdg/nodepass"],
  ])("with %j is %s", (variables, expected) => {
    expect(stateDirectory(variables, "/home/me")).toBe(expected);
  });
});

describe("readMasterEnvironment", () => {
  it("reads limits, state directory and workers, and takes its own names for no slips", () => {
    const variables = {
      NP_WORKERS: "3",
      NP_STATE_DIR: "/state",
      NP_MASTER_URL: "master://:1",
      NP_API_KEY: "secret",
      NP_SHUTDOWN_TIMEOUT: "2s",
    };
    const { settings, ...others } = readMasterEnvironment(variables, "/home/me");
    expect(settings.shutdownTimeoutMs).toBe(2000);
    expect(others).toMatchObject({ stateDirectory: "/state", workers: 3, warnings: [] });
    expect(others.keys).toMatchObject({ apiKey: "secret" });
  });

  it.each([undefined, ""])("leaves the number of workers open for %j", (NP_WORKERS) => {
    expect(readMasterEnvironment({ NP_WORKERS }, "/").workers).toBeUndefined();
  });

  it.each(["-1", "257", "1.5", "two", "1e1", " 1"])("refuses %j workers", (NP_WORKERS) => {
    expect(() => readMasterEnvironment({ NP_WORKERS }, "/")).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTIONS",
        message: expect.stringContaining(`NP_WORKERS ${JSON.stringify(NP_WORKERS)}`),
      }),
    );
  });

  it("reads how many instances have metrics of their own, and says what it may be", () => {
    const read = (NP_METRICS_INSTANCES: string) =>
      readMasterEnvironment({ NP_METRICS_INSTANCES }, "/");
    expect(read("25")).toMatchObject({ metricsInstances: 25, warnings: [] });
    expect(read("").metricsInstances).toBeUndefined();
    expect(() => read("many")).toThrow(
      /NP_METRICS_INSTANCES "many" is not allowed; allowed: a whole number from 0 to 1000000/,
    );
  });

  it.each([
    [{ NP_SHOW_KEY: "1", container: "podman" }, true],
    [{ NP_SHOW_KEY: "0" }, false],
    [{ container: "podman" }, false],
    [{ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, false],
  ])("prints the key only where it is asked to, in a container: %j", (variables, showKey) => {
    expect(readMasterEnvironment(variables, "/").showKey).toBe(showKey);
  });

  it.each([
    [undefined, []],
    ["", []],
    [" Panel.example, 10.0.0.5 ,,", ["panel.example", "10.0.0.5"]],
    ["*", ["*"]],
  ])("reads pages that may speak MCP from %j", (NP_MCP_ORIGINS, origins) => {
    expect(readMasterEnvironment({ NP_MCP_ORIGINS }, "/").mcpOrigins).toEqual(origins);
  });

  it("says what NP_MCP_ORIGINS may be", () => {
    expect(() => readMasterEnvironment({ NP_MCP_ORIGINS: "https://a.example" }, "/")).toThrow(
      /NP_MCP_ORIGINS "https:\/\/a\.example".*host names without scheme/,
    );
  });

  it("says what NP_SHOW_KEY may be", () => {
    expect(() => readMasterEnvironment({ NP_SHOW_KEY: "yes" }, "/")).toThrow(/NP_SHOW_KEY.*0, 1/);
  });
});
