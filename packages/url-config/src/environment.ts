import { closestName } from "./closest-name.ts";
import { formatDuration } from "./duration.ts";
import { createFindings, type Findings } from "./findings.ts";
import type { EnvironmentSettings } from "./settings.ts";
import { type UrlProblem, urlProblem } from "./url-problem.ts";
import { duration, longestDurationMs, type NumberKind, wholeNumber } from "./value-kinds.ts";

/** The settings of an empty environment. */
export const DEFAULT_ENVIRONMENT: EnvironmentSettings = {
  semaphoreLimit: 65_536,
  tcpDataBufferBytes: 524_288,
  udpDataBufferBytes: 4_194_304,
  handshakeTimeoutMs: 5_000,
  tcpDialTimeoutMs: 5_000,
  udpDialTimeoutMs: 5_000,
  udpReadTimeoutMs: 30_000,
  poolGetTimeoutMs: 5_000,
  minPoolIntervalMs: 100,
  maxPoolIntervalMs: 1_000,
  reportIntervalMs: 5_000,
  serviceCooldownMs: 3_000,
  shutdownTimeoutMs: 5_000,
  fallbackIntervalMs: 300_000,
  reloadIntervalMs: 3_600_000,
};

/** One line of the table of environment variables, for help texts and documents. */
export interface EnvironmentDescription {
  readonly name: string;
  /** The field of the settings that it sets. */
  readonly field: keyof EnvironmentSettings;
  /** The default as the environment would give it. */
  readonly defaultText: string;
  /** What is accepted, in words. */
  readonly allowed: string;
  readonly meaning: string;
}

/** How the environment is read. */
export interface EnvironmentOptions {
  /** Bad values become warnings and the default is used. @default false */
  readonly lenient?: boolean | undefined;
}

/** What the environment says. */
export interface EnvironmentResult {
  readonly settings: EnvironmentSettings;
  /** Names that look mistyped and, when lenient, bad values. */
  readonly warnings: readonly UrlProblem[];
}

interface EnvironmentVariable extends EnvironmentDescription {
  readonly kind: NumberKind;
}

// Nothing may wait for less than a millisecond: an interval of 0 would be a busy loop.
const interval = duration(1);
const bytes = (least: number, most: number) => wholeNumber(least, most);

const variables: readonly EnvironmentVariable[] = [
  define("NP_SEMAPHORE_LIMIT", "semaphoreLimit", wholeNumber(1, 1_000_000), "most queued signals"),
  define(
    "NP_TCP_DATA_BUF_SIZE",
    "tcpDataBufferBytes",
    bytes(1_024, 67_108_864),
    "relay buffer for TCP, bytes",
  ),
  define(
    "NP_UDP_DATA_BUF_SIZE",
    "udpDataBufferBytes",
    bytes(1_024, 1_073_741_824),
    "most bytes queued for one UDP session",
  ),
  define("NP_HANDSHAKE_TIMEOUT", "handshakeTimeoutMs", interval, "longest handshake"),
  define("NP_TCP_DIAL_TIMEOUT", "tcpDialTimeoutMs", interval, "longest TCP dial"),
  define("NP_UDP_DIAL_TIMEOUT", "udpDialTimeoutMs", interval, "longest UDP dial"),
  define(
    "NP_UDP_READ_TIMEOUT",
    "udpReadTimeoutMs",
    interval,
    "a UDP session without traffic ends after this",
  ),
  define("NP_POOL_GET_TIMEOUT", "poolGetTimeoutMs", interval, "longest wait for a pool connection"),
  define(
    "NP_MIN_POOL_INTERVAL",
    "minPoolIntervalMs",
    interval,
    "shortest pause between refills that fail",
  ),
  define(
    "NP_MAX_POOL_INTERVAL",
    "maxPoolIntervalMs",
    interval,
    "longest pause between refills that fail",
  ),
  define("NP_REPORT_INTERVAL", "reportIntervalMs", interval, "pings and check points"),
  define("NP_SERVICE_COOLDOWN", "serviceCooldownMs", interval, "longest wait before a restart"),
  define(
    "NP_SHUTDOWN_TIMEOUT",
    "shutdownTimeoutMs",
    duration(0, longestDurationMs),
    "longest graceful stop; 0 = stop at once",
  ),
  define(
    "NP_FALLBACK_INTERVAL",
    "fallbackIntervalMs",
    interval,
    "a target that failed is tried again, with lbs=1, lbs=2 or sticky",
  ),
  define("NP_RELOAD_INTERVAL", "reloadIntervalMs", interval, "state backup of a master"),
];

/**
 * Every environment variable, from the table that the reader itself uses.
 *
 * @example
 * describeEnvironment()[0]?.name; // "NP_SEMAPHORE_LIMIT"
 */
export function describeEnvironment(): readonly EnvironmentDescription[] {
  return variables.map(({ name, field, defaultText, allowed, meaning }) => ({
    name,
    field,
    defaultText,
    allowed,
    meaning,
  }));
}

/**
 * Reads the `NP_*` variables of tunnels; other variables are left alone, empty ones count as unset.
 *
 * @param env such as `process.env`
 * @throws {UrlConfigError} `INVALID_ENVIRONMENT` with every bad value, unless lenient
 * @example
 * parseEnvironment({ NP_SHUTDOWN_TIMEOUT: "10s" }).settings.shutdownTimeoutMs; // 10000
 */
export function parseEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  { lenient = false }: EnvironmentOptions = {},
): EnvironmentResult {
  const findings = createFindings("INVALID_ENVIRONMENT", lenient);
  const settings = { ...DEFAULT_ENVIRONMENT };
  for (const { name, field, kind, defaultText } of variables) {
    const text = env[name];
    if (text === undefined || text === "") continue;
    const read = kind.read(text);
    if (read !== undefined) {
      settings[field] = read.value;
    } else {
      const problem = urlProblem("INVALID_VALUE", name, text, kind.allowed);
      findings.overlook(problem, `the default ${defaultText} is used`);
    }
  }
  checkPoolIntervals(settings, findings);
  findings.throwIfFailed();
  return { settings, warnings: [...findings.warnings, ...mistypedNames(env)] };
}

/**
 * The same settings given as numbers by a program, checked like the environment's.
 *
 * @param given fields that are missing or `undefined` take their defaults
 * @returns the settings, or all that is wrong with them
 * @example
 * resolveEnvironmentSettings({ shutdownTimeoutMs: 10_000 }).shutdownTimeoutMs; // 10000
 */
export function resolveEnvironmentSettings(
  given: Readonly<Record<string, unknown>>,
): EnvironmentSettings | readonly UrlProblem[] {
  const problems: UrlProblem[] = [];
  const settings = { ...DEFAULT_ENVIRONMENT };
  for (const [field, value] of Object.entries(given)) {
    const known = variables.find((variable) => variable.field === field);
    if (known === undefined) {
      const fields = variables.map((variable) => variable.field);
      const meant = closestName(field, fields);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      problems.push(
        urlProblem("UNKNOWN_PARAMETER", field, "", fields.join(", "), `is no such field${hint}`),
      );
      continue;
    }
    if (value === undefined) continue;
    const { least, most } = known.kind;
    const isMs = known.field.endsWith("Ms");
    const fits = typeof value === "number" && value >= least && value <= most;
    if (fits && (isMs || Number.isInteger(value))) {
      settings[known.field] = value;
      continue;
    }
    const kind = isMs ? "a number of ms" : "a whole number";
    const shown =
      typeof value === "number" ? String(value) : (JSON.stringify(value) ?? typeof value);
    problems.push(urlProblem("INVALID_VALUE", field, shown, `${kind}, ${least} to ${most}`));
  }
  const { minPoolIntervalMs, maxPoolIntervalMs } = settings;
  if (problems.length === 0 && minPoolIntervalMs > maxPoolIntervalMs) {
    const allowed = `at most maxPoolIntervalMs, ${maxPoolIntervalMs}`;
    problems.push(
      urlProblem("INVALID_VALUE", "minPoolIntervalMs", String(minPoolIntervalMs), allowed),
    );
  }
  return problems.length > 0 ? problems : settings;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function checkPoolIntervals(settings: Mutable<EnvironmentSettings>, findings: Findings): void {
  const { minPoolIntervalMs, maxPoolIntervalMs } = settings;
  if (minPoolIntervalMs <= maxPoolIntervalMs) return;
  const limit = formatDuration(maxPoolIntervalMs);
  const problem = urlProblem(
    "INVALID_VALUE",
    "NP_MIN_POOL_INTERVAL",
    formatDuration(minPoolIntervalMs),
    `at most NP_MAX_POOL_INTERVAL, ${limit}`,
  );
  findings.overlook(problem, `${limit} is used`);
  settings.minPoolIntervalMs = maxPoolIntervalMs;
}

/** Variables that look like a slip of the keyboard; their values are not shown. */
function mistypedNames(env: Readonly<Record<string, string | undefined>>): UrlProblem[] {
  const names = variables.map(({ name }) => name);
  return Object.keys(env).flatMap((name) => {
    if (!name.toUpperCase().startsWith("NP_") || names.includes(name)) return [];
    const meant = closestName(name, names);
    if (meant === undefined) return [];
    return [urlProblem("UNKNOWN_PARAMETER", name, "", meant, "is not known")];
  });
}

function define(
  name: string,
  field: keyof EnvironmentSettings,
  kind: NumberKind,
  meaning: string,
): EnvironmentVariable {
  const value = DEFAULT_ENVIRONMENT[field];
  const defaultText = field.endsWith("Ms") ? formatDuration(value) : String(value);
  return { name, field, kind, defaultText, allowed: kind.allowed, meaning };
}
