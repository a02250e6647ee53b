import type { ClientSettings, EnvironmentSettings, ServerSettings } from "@nodepass/url-config";
import type { NameCache } from "./names/name-cache.ts";
import type { RelayContext } from "./relay/relay-context.ts";
import type { LogFields, LogRecord, TargetState } from "./tunnel.ts";
import type { WaitingDatagrams } from "./udp/waiting-datagrams.ts";

/** Most concurrent TCP connections and UDP sessions together (`slot`). */
export class Slots {
  readonly #limit: number;
  #used = 0;

  /** @param limit 0 = no limit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a place; false when all are taken. */
  take(): boolean {
    if (this.#limit > 0 && this.#used >= this.#limit) return false;
    this.#used++;
    return true;
  }

  release(): void {
    this.#used--;
  }

  get used(): number {
    return this.#used;
  }
}

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
