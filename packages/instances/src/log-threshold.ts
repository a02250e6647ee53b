import type { LogLevel } from "@nodepass/url-config";

const RANKS = { debug: 0, info: 1, warn: 2, error: 3, event: 4, none: 5 } as const;

/** Whether an instance whose URL says `threshold` shows lines of `level`; check points aside. */
export function isLogged(level: "debug" | "info" | "warn" | "error", threshold: LogLevel): boolean {
  return RANKS[level] >= RANKS[threshold];
}
