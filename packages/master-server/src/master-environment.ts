import { existsSync } from "node:fs";
import { join } from "node:path";
import { type EnvironmentResult, parseEnvironment } from "@nodepass/url-config";
import type { KeyOptions } from "./given-keys.ts";
import { MasterServerError } from "./master-server-error.ts";

/** Environment variables by name, such as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What the environment says to a master. */
export interface MasterEnvironment extends EnvironmentResult {
  readonly stateDirectory: string;
  /**
   * Whether a new API key is printed: `NP_SHOW_KEY` 1 or 0, else not in a container, whose log others
   * read.
   */
  readonly showKey: boolean;
  /** From `NP_API_KEY`, `NP_API_KEY_FILE`, `NP_READ_KEY` and `NP_READ_KEY_FILE`. */
  readonly keys: KeyOptions;
  /** Host names of pages that may speak MCP, from `NP_MCP_ORIGINS`; `*` is any. */
  readonly mcpOrigins: readonly string[];
  /** `undefined` = as many as cores. */
  readonly workers: number | undefined;
  /** Instances with series of their own in `/metrics`; `undefined` = the default. */
  readonly metricsInstances: number | undefined;
}

const mostWorkers = 256;
const mostMetricsInstances = 1_000_000;

/**
 * Where a master keeps its state: `NP_STATE_DIR`, else `nodepass` in the XDG state directory
 * (`XDG_STATE_HOME`, else `~/.local/state`).
 *
 * @param home the user's home directory
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 * @example
 * stateDirectory({ XDG_STATE_HOME: "/var/lib" }, homedir()); // "/var/lib/nodepass"
 */
export function stateDirectory(variables: Variables, home: string): string {
  const { NP_STATE_DIR: own = "", XDG_STATE_HOME: state = "" } = variables;
  if (own !== "") return own;
  // The specification: a relative path is invalid and is ignored.
  if (state.startsWith("/")) return join(state, "nodepass");
  return join(home, ".local", "state", "nodepass");
}

/**
 * Reads all `NP_*` variables that a master heeds.
 *
 * @throws {UrlConfigError} `INVALID_ENVIRONMENT` with every bad value
 * @throws {MasterServerError} `INVALID_OPTIONS` for `NP_WORKERS` and `NP_METRICS_INSTANCES`
 * @example
 * const { stateDirectory, keys } = readMasterEnvironment(process.env, homedir());
 */
export function readMasterEnvironment(variables: Variables, home: string): MasterEnvironment {
  const { settings, warnings } = parseEnvironment(variables);
  return {
    settings,
    warnings,
    stateDirectory: stateDirectory(variables, home),
    showKey: readShowKey(variables),
    keys: {
      apiKey: variables.NP_API_KEY,
      apiKeyFile: variables.NP_API_KEY_FILE,
      readKey: variables.NP_READ_KEY,
      readKeyFile: variables.NP_READ_KEY_FILE,
    },
    mcpOrigins: readOrigins(variables.NP_MCP_ORIGINS),
    workers: readCount("NP_WORKERS", variables.NP_WORKERS, mostWorkers),
    metricsInstances: readCount(
      "NP_METRICS_INSTANCES",
      variables.NP_METRICS_INSTANCES,
      mostMetricsInstances,
    ),
  };
}

function readOrigins(text = ""): string[] {
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  const given = names.filter((name) => name !== "");
  const wrong = given.find((name) => name !== "*" && !/^[a-z0-9.:_-]+$/.test(name));
  if (wrong === undefined) return given;
  throw new MasterServerError(
    "INVALID_OPTIONS",
    `NP_MCP_ORIGINS ${JSON.stringify(wrong)} is not allowed; allowed: host names without scheme and port, with commas, or *`,
  );
}

function readShowKey(variables: Variables): boolean {
  const { NP_SHOW_KEY: text = "" } = variables;
  if (text === "1" || text === "0") return text === "1";
  if (text !== "") {
    throw new MasterServerError(
      "INVALID_OPTIONS",
      `NP_SHOW_KEY ${JSON.stringify(text)} is not allowed; allowed: 0, 1`,
    );
  }
  return !isInContainer(variables);
}

/** By what container engines leave behind; one that leaves nothing is taken for a machine. */
function isInContainer({ container, KUBERNETES_SERVICE_HOST: kubernetes }: Variables): boolean {
  if ((container ?? "") !== "" || (kubernetes ?? "") !== "") return true;
  return existsSync("/.dockerenv") || existsSync("/run/.containerenv");
}

function readCount(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined || text === "") return undefined;
  const count = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 0 && count <= most) return count;
  throw new MasterServerError(
    "INVALID_OPTIONS",
    `${name} ${JSON.stringify(text)} is not allowed; allowed: a whole number from 0 to ${most}`,
  );
}
