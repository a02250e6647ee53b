import {
  COUNTER_NAMES,
  type Counters,
  countersOf,
  type InstanceLink,
  type LogFields,
  type LogLineLevel,
  type PeerLink,
  type RestingTarget,
} from "@nodepass/model";
import type { Ban, PortCounters, TunnelWays } from "@nodepass/tunnel-core";
import type {
  ClientSettings,
  EnvironmentSettings,
  HostPort,
  ServerSettings,
} from "@nodepass/url-config";

// What the main thread and the threads with the tunnels say to each other. Both ends are this
// package, so the compiler is what checks it.

/** What a worker is started with. */
export interface RunnerSettings {
  readonly limits: EnvironmentSettings;
  /** Time between looks at the counters, ms. */
  readonly counterIntervalMs: number;
  /** Carriers that are packages of their own, and the variables of `via=env`. @default {} */
  readonly ways?: TunnelWays | undefined;
}

/** A tunnel to run: what its URL said, read once. */
export type TunnelSpec = ServerSettings | ClientSettings;

/** What the main thread tells a runner of tunnels; `run` names the tunnel from its opening on. */
export type RunnerCommand =
  | {
      readonly kind: "open";
      readonly run: number;
      readonly spec: TunnelSpec;
      readonly until?: number | undefined;
    }
  /** It is not to serve after that, by `monotonicMs`; `undefined`: no end. `closed` follows then. */
  | { readonly kind: "until"; readonly run: number; readonly until: number | undefined }
  /** Become what `spec` says without closing a port or cutting a connection at once. Answered by `changed` while it is there. */
  | { readonly kind: "change"; readonly run: number; readonly spec: TunnelSpec }
  /** Connections get `timeoutMs` to finish. Answered by `closed`. */
  | { readonly kind: "close"; readonly run: number; readonly timeoutMs: number }
  /** Answered by `counters`, if the tunnel is there. */
  | { readonly kind: "read"; readonly run: number }
  /** Answered by `answer` with the same `ask`, if the tunnel is there. */
  | {
      readonly kind: "ask";
      readonly run: number;
      readonly ask: number;
      readonly question: TunnelQuestion;
    }
  /** What all tunnels have measured. Answered by `latencies`. */
  | { readonly kind: "measure" };

/** Why a run is over whose time to serve has ended. */
export const TIME_OVER = "the time in which it may serve is over";

/** What is asked of a tunnel now and then, not reported by itself. */
export type TunnelQuestion =
  | { readonly about: "bans" | "ports" }
  /** Ends bans; without an address all. */
  | { readonly about: "liftBans"; readonly address: string | undefined };

/** What it answers. */
export interface TunnelAnswer {
  readonly bans?: readonly Ban[] | undefined;
  readonly ports?: readonly PortCounters[] | undefined;
  /** Bans ended. */
  readonly lifted?: number | undefined;
}

/** A tunnel has opened, or its state or addresses have changed. */
export interface StateReport {
  readonly kind: "state";
  readonly run: number;
  readonly state: "starting" | "running" | "error";
  readonly reason: string | undefined;
  readonly mode: 0 | 1 | 2;
  readonly link: InstanceLink;
  readonly restingTargets: readonly RestingTarget[];
  readonly tunnelAddress: HostPort | undefined;
  readonly entryAddress: HostPort | undefined;
}

/** Counters of tunnels that changed since the last report. */
export interface CountersReport {
  readonly kind: "counters";
  /** A row for each tunnel: its run, then its counters in the order of the model's table. */
  readonly rows: readonly number[];
}

/** What is known of each of several peers has changed. */
export interface PeersReport {
  readonly kind: "peers";
  readonly run: number;
  readonly peers: readonly PeerLink[];
}

/** What the tunnels that measured anything have measured. */
export interface LatenciesReport {
  readonly kind: "latencies";
  /** See `latency-rows.ts`. */
  readonly rows: readonly number[];
}

/** A line of a tunnel's log that its level lets through. */
export interface LogReport {
  readonly kind: "log";
  readonly run: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogLineLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * How a run took other settings: `inPlace` while it went on; `replaced` by another tunnel, which took
 * over its ports while the old one's connections drain; `refused`: it goes on by the old ones.
 */
export type ChangeOutcome = "inPlace" | "replaced" | "refused";

/** What became of a change that was asked for. */
export interface ChangedReport {
  readonly kind: "changed";
  readonly run: number;
  readonly outcome: ChangeOutcome;
}

/** What a tunnel answers. */
export interface AnswerReport {
  readonly kind: "answer";
  readonly run: number;
  readonly ask: number;
  readonly answer: TunnelAnswer;
}

/** A run is over: closed as asked (no reason), could not open, or ended by itself. */
export interface ClosedReport {
  readonly kind: "closed";
  readonly run: number;
  readonly reason: string | undefined;
}

/** What a runner of tunnels tells the main thread. */
export type RunnerReport =
  | StateReport
  | CountersReport
  | PeersReport
  | LatenciesReport
  | LogReport
  | ChangedReport
  | AnswerReport
  | ClosedReport;

const COLUMNS = COUNTER_NAMES.length + 1;

/** Adds a row for one tunnel. */
export function pushCounters(rows: number[], run: number, counters: Counters): void {
  rows.push(run);
  for (const name of COUNTER_NAMES) rows.push(counters[name]);
}

/** Reads the rows of a report. */
export function eachCounters(
  rows: readonly number[],
  visit: (run: number, counters: Counters) => void,
): void {
  for (let at = 0; at + COLUMNS <= rows.length; at += COLUMNS) {
    let column = at;
    visit(
      rows[at] ?? 0,
      countersOf(() => {
        column++;
        return rows[column] ?? 0;
      }),
    );
  }
}
