import { mostRules, readAddressRule, ruleForm } from "./address-rule.ts";
import { durationForm, formatDuration, readDuration } from "./duration.ts";
import { isHostName } from "./host-port.ts";
import { isIpv4, isIpv6 } from "./ip-address.ts";
import { proxyForm, readProxyUrl, redactProxyUrl } from "./proxy-url.ts";
import type { BalanceMode, BlockedProtocols, ProxyAddress, Rates } from "./settings.ts";
import { quote } from "./url-problem.ts";

/** How a parameter's text is read, and what to say about it; `T` is what the settings hold. */
export interface ValueKind<T> {
  /** @returns what the text means; `undefined` if it is not allowed */
  readonly read: (text: string) => { readonly value: T } | undefined;
  /** What is accepted, in words. */
  readonly allowed: string;
  /** The largest value, for text that is fine but above it; `undefined` for any other text. */
  readonly clamp?: ((text: string) => { value: T; text: string } | undefined) | undefined;
  /** What is wrong with a text that is not allowed, where there is more to say than that. */
  readonly fault?: ((text: string) => string | undefined) | undefined;
  /**
   * A bad value is an error in either reading: it says who or what is kept out, and to overlook it would
   * let everything in. NodePass 1.14 knows no such parameter.
   */
  readonly guards?: boolean | undefined;
  /** The text as messages may show it, where it can hold a secret. */
  readonly shown?: ((text: string) => string) | undefined;
}

/** A kind whose values are numbers between two bounds. */
export interface NumberKind extends ValueKind<number> {
  readonly least: number;
  readonly most: number;
}

/**
 * Longest duration of a setting, ms: 596 hours. Node's timers hold 2^31 - 1 ms and fire at once when
 * asked for more.
 */
export const longestDurationMs = 596 * 3_600_000;

/** One of the given words. */
export function oneOf<const T extends string>(words: readonly [T, ...T[]]): ValueKind<T> {
  return lookUp(new Map(words.map((word) => [word, word])));
}

/** One of the digits `0` to `last`, as a number. */
export function digit<const T extends number>(digits: readonly [T, ...T[]]): ValueKind<T> {
  return lookUp(new Map(digits.map((value) => [String(value), value])));
}

/** How users are spread over several; `none` for the way without `lbs`. */
export function balance(): ValueKind<BalanceMode | undefined> {
  const modes = { none: undefined, "0": 0, "1": 1, "2": 2 } as const;
  return {
    read: (text) =>
      Object.hasOwn(modes, text) ? { value: modes[text as keyof typeof modes] } : undefined,
    allowed: "none, 0, 1, 2",
  };
}

/** `1` for true and `0` for false, or the other way round. */
export function flag(on: "1" | "0"): ValueKind<boolean> {
  return lookUp(
    new Map([
      ["0", on === "0"],
      ["1", on === "1"],
    ]),
  );
}

/** A whole number of decimal digits, times `scale` in the settings. */
export function wholeNumber(least: number, most: number, scale = 1): NumberKind {
  return {
    least: least * scale,
    most: most * scale,
    read: (text) =>
      digits.test(text) && isBetween(Number(text), least, most)
        ? { value: Number(text) * scale }
        : undefined,
    allowed: `a whole number, ${least} to ${most}`,
    clamp: (text) =>
      digits.test(text) && Number(text) > most
        ? { value: most * scale, text: String(most) }
        : undefined,
  };
}

/** One number for both directions, or two: from users to targets, and back. Each 0 for no limit. */
export function rates(most: number, scale: number): ValueKind<Rates> {
  const one = wholeNumber(0, most, scale);
  const each = (
    text: string,
    read: (part: string) => { readonly value: number } | undefined,
  ): Rates | undefined => {
    const [up, down = up, ...more] = text.split("/").map(read);
    if (up === undefined || down === undefined || more.length > 0) return undefined;
    return { upBytesPerSecond: up.value, downBytesPerSecond: down.value };
  };
  return {
    read: (text) => {
      const value = each(text, one.read);
      return value && { value };
    },
    allowed: `${one.allowed}; two with a slash: up/down`,
    clamp: (text) => {
      const value = each(text, (part) => one.read(part) ?? one.clamp?.(part));
      const shown = text.split("/").map((part) => one.clamp?.(part)?.text ?? part);
      return value && { value, text: shown.join("/") };
    },
  };
}

/** A duration in milliseconds, in Go's form. */
export function duration(leastMs: number, mostMs = longestDurationMs): NumberKind {
  const range = `from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  return {
    least: leastMs,
    most: mostMs,
    read: (text) => {
      const value = readDuration(text);
      return value !== undefined && isBetween(value, leastMs, mostMs) ? { value } : undefined;
    },
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
    read: (text) => {
      if (!/^[0-3]{1,8}$/.test(text)) return undefined;
      const [socks, http, tls] = ["1", "2", "3"].map((digit) => text.includes(digit));
      return { value: { socks: socks === true, http: http === true, tls: tls === true } };
    },
    allowed: "any of the digits 1 (SOCKS), 2 (HTTP), 3 (TLS), or 0 for none",
  };
}

/** `auto` or a local IP address. */
export function dialAddress(): ValueKind<string> {
  return {
    read: (text) => (text === "auto" || isIpv4(text) || isIpv6(text) ? { value: text } : undefined),
    allowed: "auto or an IP address without brackets",
  };
}

/** A host name or an IP address; `none` for `undefined`. */
export function serverName(): ValueKind<string | undefined> {
  return {
    read: (text) => {
      if (text === "none") return { value: undefined };
      return isHostName(text) || isIpv4(text) || isIpv6(text) ? { value: text } : undefined;
    },
    allowed: "a host name, an IP address, or none",
  };
}

/** A list of networks and of files with networks; without one, `[]`. */
export function addressRules(): ValueKind<readonly string[]> {
  const isRule = (item: string): boolean => readAddressRule(item) !== undefined;
  return {
    guards: true,
    read: (text) => {
      if (text === "none") return { value: [] };
      const items = text.split(",");
      return items.length <= mostRules && items.every(isRule) ? { value: items } : undefined;
    },
    fault: (text) => {
      const items = text.split(",");
      if (items.length > mostRules) return `has ${items.length} items, more than ${mostRules}`;
      const bad = items.find((item) => !isRule(item)) ?? "";
      return items.length === 1 ? undefined : `has the item ${quote(bad)}, which is none of these`;
    },
    allowed: `none, or with commas: ${ruleForm}; users: or peers: before one is for that port alone`,
  };
}

/** Host names, `*.` before one for all below it; lower case, without a final dot. */
export function hostNames(): ValueKind<readonly string[]> {
  const isName = (item: string): boolean => isHostName(item.replace(/^\*\./, ""));
  return {
    // Without its names an instance would take everybody's users.
    guards: true,
    read: (text) => {
      if (text === "none") return { value: [] };
      const items = text.split(",").map((item) => item.toLowerCase().replace(/\.$/, ""));
      const fits = items.length <= mostHostNames && items.every(isName);
      return fits && new Set(items).size === items.length ? { value: items } : undefined;
    },
    fault: (text) => {
      const items = text.split(",");
      if (items.length > mostHostNames)
        return `has ${items.length} names, more than ${mostHostNames}`;
      const bad = items.find((item) => !isName(item));
      if (bad !== undefined && items.length > 1)
        return `has the item ${quote(bad)}, which is no name`;
      return bad === undefined ? "names one twice" : undefined;
    },
    allowed: "none, or host names with commas; *.example.com for all below it",
  };
}

/** The path of a file; no default. */
export function filePath(): ValueKind<string | undefined> {
  return {
    read: (text) => (text !== "" && !text.includes("\0") ? { value: text } : undefined),
    allowed: "the path of a PEM file",
  };
}

/** A path of an HTTP address, spelled in the one way that no proxy changes. */
export function httpPath(): ValueKind<string> {
  return {
    read: (text) =>
      /^\/[A-Za-z0-9._~/-]{0,255}$/.test(text) && !/\/\/|\/\.{1,2}(?:\/|$)/.test(text)
        ? { value: text }
        : undefined,
    allowed:
      "a path that begins with /, of letters, digits, -, ., _, ~ and /, at most 256 characters",
  };
}

/** `none`, `env`, or a proxy's URL. */
export function proxy(): ValueKind<ProxyAddress | "env" | undefined> {
  return {
    read: (text) => {
      if (text === "none") return { value: undefined };
      if (text === "env") return { value: text };
      const { proxy } = readProxyUrl(text);
      return proxy === undefined ? undefined : { value: proxy };
    },
    allowed: `none, env, ${proxyForm}`,
    shown: redactProxyUrl,
  };
}

/** Most names of one instance. */
const mostHostNames = 256;

const digits = /^\d{1,15}$/;

function isBetween(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}

/** The value that belongs to the text. */
function lookUp<T>(values: ReadonlyMap<string, T>): ValueKind<T> {
  return {
    read: (text) => {
      const value = values.get(text);
      return value === undefined && !values.has(text) ? undefined : { value: value as T };
    },
    allowed: [...values.keys()].join(", "),
  };
}
