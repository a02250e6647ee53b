import { enum as choice, NEVER, pipe, refine, string, transform, type ZodMiniType } from "zod/mini";
import { durationForm, formatDuration, readDuration } from "./duration.ts";
import { isHostName, isIpv4, isIpv6 } from "./host-port.ts";
import { proxyForm, readProxyUrl, redactProxyUrl } from "./proxy-url.ts";
import type { BlockedProtocols, ProxyAddress } from "./settings.ts";

/** Reads the text of a value; `T` is what the settings hold. */
export type TextSchema<T> = ZodMiniType<T, string>;

/** How a parameter's text is read, and what to say about it. */
export interface ValueKind<T> {
  readonly schema: TextSchema<T>;
  /** What the schema accepts, in words. */
  readonly allowed: string;
  /** The largest value, for text that is fine but above it; `undefined` for any other text. */
  readonly clamp?: ((text: string) => { value: T; text: string } | undefined) | undefined;
  /** The text as messages may show it, where it can hold a secret. */
  readonly shown?: ((text: string) => string) | undefined;
}

/**
 * Longest duration of a setting, ms: 596 hours. Node's timers hold 2^31 - 1 ms and fire at once when
 * asked for more.
 */
export const longestDurationMs = 596 * 3_600_000;

/** One of the given words. */
export function oneOf<const T extends string>(words: readonly [T, ...T[]]): ValueKind<T> {
  return { schema: choice(words), allowed: words.join(", ") };
}

/** One of the digits `0` to `last`, as a number. */
export function digit<const T extends number>(digits: readonly [T, ...T[]]): ValueKind<T> {
  const values = new Map(digits.map((value) => [String(value), value]));
  return { schema: lookUp(values), allowed: digits.join(", ") };
}

/** `1` for true and `0` for false, or the other way round. */
export function flag(on: "1" | "0"): ValueKind<boolean> {
  return {
    schema: lookUp(
      new Map([
        ["0", on === "0"],
        ["1", on === "1"],
      ]),
    ),
    allowed: "0, 1",
  };
}

/** A whole number of decimal digits, times `scale` in the settings. */
export function wholeNumber(least: number, most: number, scale = 1): ValueKind<number> {
  return {
    schema: pipe(
      string().check(
        refine((text) => digits.test(text) && Number(text) >= least && Number(text) <= most),
      ),
      transform((text) => Number(text) * scale),
    ),
    allowed: `a whole number, ${least} to ${most}`,
    clamp: (text) =>
      digits.test(text) && Number(text) > most
        ? { value: most * scale, text: String(most) }
        : undefined,
  };
}

/** A duration in milliseconds, in Go's form. */
export function duration(leastMs: number, mostMs = longestDurationMs): ValueKind<number> {
  const range = `from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  return {
    schema: pipe(
      string().check(refine((text) => isBetween(readDuration(text), leastMs, mostMs))),
      // The fallback is unreachable: the check has read the same text.
      transform((text) => readDuration(text) ?? leastMs),
    ),
    allowed: `${durationForm}, ${range}`,
    clamp: (text) =>
      isBetween(readDuration(text), mostMs, Number.POSITIVE_INFINITY)
        ? { value: mostMs, text: formatDuration(mostMs) }
        : undefined,
  };
}

/** The digits of `block`. */
export function blockDigits(): ValueKind<BlockedProtocols> {
  return {
    schema: pipe(
      string().check(refine((text) => /^[0-3]{1,8}$/.test(text))),
      transform((text) => ({
        socks: text.includes("1"),
        http: text.includes("2"),
        tls: text.includes("3"),
      })),
    ),
    allowed: "any of the digits 1 (SOCKS), 2 (HTTP), 3 (TLS), or 0 for none",
  };
}

/** `auto` or a local IP address. */
export function dialAddress(): ValueKind<string> {
  return {
    schema: string().check(refine((text) => text === "auto" || isIpv4(text) || isIpv6(text))),
    allowed: "auto or an IP address without brackets",
  };
}

/** A host name or an IP address; `none` for `undefined`. */
export function serverName(): ValueKind<string | undefined> {
  return {
    schema: pipe(
      string().check(refine((text) => isHostName(text) || isIpv4(text) || isIpv6(text))),
      transform((text) => (text === "none" ? undefined : text)),
    ),
    allowed: "a host name, an IP address, or none",
  };
}

/** The path of a file; no default. */
export function filePath(): ValueKind<string | undefined> {
  return {
    schema: pipe(
      string().check(refine((text) => text !== "" && !text.includes("\0"))),
      transform((text): string | undefined => text),
    ),
    allowed: "the path of a PEM file",
  };
}

/** A path of an HTTP address, spelled in the one way that no proxy changes. */
export function httpPath(): ValueKind<string> {
  return {
    schema: string().check(
      refine(
        (text) => /^\/[A-Za-z0-9._~/-]{0,255}$/.test(text) && !/\/\/|\/\.{1,2}(?:\/|$)/.test(text),
      ),
    ),
    allowed:
      "a path that begins with /, of letters, digits, -, ., _, ~ and /, at most 256 characters",
  };
}

/** `none`, `env`, or a proxy's URL. */
export function proxy(): ValueKind<ProxyAddress | "env" | undefined> {
  return {
    schema: pipe(
      string(),
      transform((text, context): ProxyAddress | "env" | undefined => {
        if (text === "none") return undefined;
        if (text === "env") return text;
        const result = readProxyUrl(text);
        if (result.proxy !== undefined) return result.proxy;
        context.issues.push({ code: "custom", input: text });
        return NEVER;
      }),
    ),
    allowed: `none, env, ${proxyForm}`,
    shown: redactProxyUrl,
  };
}

const digits = /^\d{1,15}$/;

function isBetween(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}

/** The value that belongs to the text. */
function lookUp<T>(values: ReadonlyMap<string, T>): TextSchema<T> {
  return pipe(
    string(),
    transform((text, context): T => {
      const value = values.get(text);
      if (value === undefined) {
        context.issues.push({ code: "custom", input: text });
        return NEVER;
      }
      return value;
    }),
  );
}
