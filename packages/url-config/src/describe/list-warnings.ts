import { isLoopback } from "../host-port.ts";
import type { Settings, TunnelSettings } from "../settings.ts";
import { type DescriptionWords, ENGLISH } from "./english.ts";
import { withoutEffect } from "./without-effect.ts";

/** A key with fewer characters can be found by trying. */
const shortKeyCharacters = 16;

/** How risks are told. */
export interface ListWarningsOptions {
  /** What makes a key, as people are told of it. @default "'nodepass keygen'" */
  readonly keygen?: string | undefined;
  /** Those of a language. @default English */
  readonly words?: DescriptionWords | undefined;
}

/**
 * Says what is allowed but likely not meant, or not safe. Never holds the key.
 *
 * @example
 * listWarnings(parse("client://:1/:2?mode=1")); // []
 */
export function listWarnings(settings: Settings, options: ListWarningsOptions = {}): string[] {
  const { keygen = "'nodepass keygen'", words = ENGLISH } = options;
  const { warnings } = words;
  const quiet = settings.log === "none" ? [warnings.quiet] : [];
  const idle = withoutEffect(settings).map(({ shown, why }) => warnings.noEffect(shown, why));
  if (settings.scheme === "master") return [...idle, ...quiet];
  const single = settings.scheme === "client" && settings.mode === 1;
  return [
    ...(single ? [] : listKeyWarnings(settings, keygen, words)),
    ...(settings.scheme === "server" && settings.tls === 0 && !isLoopback(settings.tunnel.host)
      ? [warnings.noTls]
      : []),
    ...(settings.mode === 0
      ? [settings.scheme === "server" ? warnings.autoServer : warnings.autoClient]
      : []),
    ...(settings.tcp || settings.udp ? [] : [warnings.nothingCarried]),
    ...idle,
    ...quiet,
  ];
}

function listKeyWarnings(
  { keyGiven, key }: TunnelSettings,
  keygen: string,
  { warnings }: DescriptionWords,
): string[] {
  if (!keyGiven) return [warnings.noKey(keygen)];
  const characters = Array.from(key).length;
  return characters < shortKeyCharacters ? [warnings.shortKey(characters, keygen)] : [];
}
