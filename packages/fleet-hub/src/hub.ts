import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { Fleet } from "./fleet.ts";
import type { HubSecrets } from "./hub-secrets.ts";
import type { Leadership } from "./leader/leadership.ts";
import type { MessageCounts } from "./members/message-counts.ts";
import type { Messenger } from "./members/messenger.ts";
import type { Presence } from "./members/presence.ts";
import type { FleetIndex } from "./store/fleet-index.ts";

/** How a hub is opened. */
export interface FleetHubOptions {
  /** The fleet's secrets, or the folder that has them. */
  readonly secrets: HubSecrets | string;
  /** Name of this hub, shown to people. @default `hub-` and 8 hexadecimal digits */
  readonly id?: string | undefined;
  /** Of the program, shown to people. */
  readonly version: string;
  /** SHA-256 of the hub's certificate where no authority vouches for it; goes into join tokens. @default none */
  readonly certificate?: (() => string | undefined) | undefined;
  /** Folder for the signed export of every hour. @default none is written */
  readonly exports?: string | undefined;
  /** Longest wait for the engine, ms. @default 30_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
}

/** Figures of a hub, for its metrics. */
export interface HubFigures {
  readonly leading: boolean;
  readonly connected: boolean;
  readonly counts: MessageCounts;
  /** Orders that members have not carried out, as this hub knows. */
  readonly openOrders: number;
  /** Records that can't be read. */
  readonly badRecords: number;
  /** Instance events that were dropped. */
  readonly droppedEvents: number;
}

/** A hub that runs. */
export interface FleetHub {
  /** What its HTTP API sits on. */
  readonly fleet: Fleet;
  readonly id: string;
  /** Host names `{mid}.<suffix>` lead to the members' APIs; empty: none. */
  readonly gateway: string;
  readonly messenger: Messenger;
  readonly presence: Presence;
  readonly index: FleetIndex;
  readonly leadership: Leadership;
  figures(): HubFigures;
  /** Graceful: readers are told, the lead is given up. Idempotent. */
  close(): Promise<void>;
  /** At once. Idempotent. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}
