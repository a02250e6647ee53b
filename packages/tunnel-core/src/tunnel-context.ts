import type { ClientSettings, EnvironmentSettings, ServerSettings } from "@nodepass/url-config";
import type { NameCache } from "./names/name-cache.ts";
import type { RelayContext } from "./relay/relay-context.ts";
import type { Slots } from "./slots.ts";
import type { LogFields, LogRecord, TargetState } from "./tunnel.ts";
import type { WaitingDatagrams } from "./udp/waiting-datagrams.ts";

/** What all parts of one tunnel end share. */
export interface TunnelContext extends RelayContext {
  readonly settings: ServerSettings | ClientSettings;
  readonly limits: EnvironmentSettings;
  readonly names: NameCache;
  readonly slots: Slots;
  /** Who knows which targets work. */
  readonly health: { states(): readonly TargetState[] }[];
  /** A target has begun to rest, or serves again. */
  onTarget(state: TargetState): void;
  /** The bound of all datagrams that wait for a connection. */
  readonly waitingDatagrams: WaitingDatagrams;
  log(level: LogRecord["level"], message: string, fields?: LogFields): void;
  /** For what strangers or a failing target can cause in any number: a few a second, then counts. */
  logLimited(level: LogRecord["level"], message: string, fields?: LogFields): void;
  /** Whether anybody listens for `debug` records: skip making them otherwise. */
  readonly debugs: boolean;
}
