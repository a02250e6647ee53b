import {
  type ClientSettings,
  type EnvironmentSettings,
  resolveEnvironmentSettings,
  type ServerSettings,
} from "@nodepass/url-config";
import { EntryPorts } from "../entry/entry-ports.ts";
import { TunnelError } from "../errors.ts";
import { TunnelPorts } from "../listener/tunnel-ports.ts";
import { RelayBuffers } from "../stream/relay-buffers.ts";
import type { CloseOptions, ConnectOptions, ReadyOptions, TunnelOptions } from "../tunnel.ts";

/** What an option has to be, in words, and whether a value is. */
type Rule = readonly [allowed: string, isAllowed: (value: unknown) => boolean];
type Rules<Options> = { readonly [Name in keyof Required<Options>]: Rule };

/** The longest that a timer of Node's waits. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const TIMEOUT = [`a number, 0 to ${MAX_TIMEOUT_MS}`, isTimeout] as const;
const SIGNAL = ["an AbortSignal", (value: unknown) => value instanceof AbortSignal] as const;

const OPTIONS: Rules<TunnelOptions> = {
  limits: ["an object", isObject],
  ports: ["a TunnelPorts", (value) => value instanceof TunnelPorts],
  buffers: ["a RelayBuffers", (value) => value instanceof RelayBuffers],
  ca: ["PEM text, or several in a list", isPem],
  carriers: ["loaders of carriers by type", isObject],
  proxyEnvironment: ["variables with their texts", isObject],
  entries: ["an EntryPorts", (value) => value instanceof EntryPorts],
  onConnection: ["a function", (value) => typeof value === "function"],
  lookup: ["a function", (value) => typeof value === "function"],
  onCreate: ["a function", (value) => typeof value === "function"],
  takeOver: ["a tunnel", isObject],
  drainTimeoutMs: TIMEOUT,
  signal: SIGNAL,
};

/** Those of a tunnel's methods. */
export const CLOSE_OPTIONS: Rules<CloseOptions> = { timeoutMs: TIMEOUT };
export const CONNECT_OPTIONS: Rules<ConnectOptions> = { signal: SIGNAL };
export const READY_OPTIONS: Rules<ReadyOptions> = {
  signal: SIGNAL,
  failOnRefusal: ["true or false", (value) => typeof value === "boolean"],
};

/**
 * Checks what a program gives, once, at the border.
 *
 * @returns the limits, with defaults
 * @throws {TunnelError} `INVALID_OPTIONS` with the name, the value and what is allowed
 */
export function checkOptions(options: TunnelOptions): EnvironmentSettings {
  checkGiven(options, OPTIONS);
  const limits = resolveEnvironmentSettings({ ...options.limits });
  if ("semaphoreLimit" in limits) return limits;
  throw invalid(limits.map(({ message }) => `limits.${message}`).join("; "));
}

/**
 * Checks the options of a call.
 *
 * @throws {TunnelError} `INVALID_OPTIONS` with the name, the value and what is allowed
 */
export function checkGiven<Options extends object>(options: Options, rules: Rules<Options>): void {
  if (!isObject(options)) throw invalid(`options are ${kindOf(options)} (allowed: an object)`);
  const known = new Map(Object.entries<Rule>(rules));
  for (const [name, value] of Object.entries(options)) {
    const [allowed, isAllowed] = known.get(name) ?? [];
    if (isAllowed === undefined) {
      throw invalid(`${name} is no option (allowed: ${[...known.keys()].join(", ")})`);
    }
    if (value !== undefined && !isAllowed(value)) {
      throw invalid(`${name} is ${kindOf(value)} (allowed: ${allowed})`);
    }
  }
}

/** Numbers of settings that were made by hand, not by `parseTunnelUrl`, which has checked them. */
const NUMBERS = [
  "readTimeoutMs",
  "rateBytesPerSecond",
  "slot",
  "slotPerAddress",
  "udpIdleMs",
  "dnsTtlMs",
  "min",
  "max",
] as const;

/**
 * Checks settings that a program made itself.
 *
 * @throws {TunnelError} `INVALID_OPTIONS`
 */
export function checkSettings(settings: ServerSettings | ClientSettings): void {
  if (typeof settings !== "object" || settings === null) {
    throw invalid(`settings are ${kindOf(settings)} (allowed: a URL, or settings)`);
  }
  if (settings.scheme !== "server" && settings.scheme !== "client") {
    throw invalid(
      `scheme is ${kindOf((settings as { scheme?: unknown }).scheme)} (allowed: server, client)`,
    );
  }
  const given = new Map<string, unknown>(Object.entries(settings));
  for (const name of NUMBERS) {
    const value = given.get(name);
    const belongs = name === "min" ? "client" : name === "max" ? "server" : settings.scheme;
    if (belongs !== settings.scheme) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
      throw invalid(`${name} is ${kindOf(value)} (allowed: a number, 0 or more)`);
    }
  }
}

function isTimeout(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= MAX_TIMEOUT_MS;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPem(value: unknown): boolean {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return (
    texts.length > 0 &&
    texts.every((text) => typeof text === "string" && text.includes("-----BEGIN"))
  );
}

/** A value as a message may show it: numbers and short words, of the rest the kind. */
function kindOf(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string" && value.length <= 32) return JSON.stringify(value);
  if (value === null || value === undefined) return String(value);
  return typeof value === "string"
    ? "a text"
    : Array.isArray(value)
      ? "a list"
      : `a ${typeof value}`;
}

function invalid(message: string): TunnelError {
  return new TunnelError("INVALID_OPTIONS", message);
}
