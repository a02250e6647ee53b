import type { LogRecord, TunnelCounters, TunnelOptions, TunnelState } from "../../../src/index.ts";

/** What a test tells a tunnel end in another process. */
export type EndOrder =
  | { readonly order: "open"; readonly url: string; readonly limits: TunnelOptions["limits"] }
  /** `collect`: after a collection of the heap, which stops the end for some milliseconds. */
  | { readonly order: "stats"; readonly collect: boolean }
  /** Be a target: send back what comes, on 127.0.0.1. */
  | { readonly order: "echo" }
  | { readonly order: "close"; readonly timeoutMs: number };

/** Memory (bytes) and handles of an end's process. */
export interface EndStats {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly spaces: Readonly<Record<string, number>>;
  /** Active resources by kind. */
  readonly handles: Readonly<Record<string, number>>;
  readonly counters: TunnelCounters | undefined;
  /** Where users connect, once the end has an entry. */
  readonly entryPort: number | undefined;
  /** What the wall clock tells the process, ms. */
  readonly now: number;
}

/** What it answers. */
export type EndAnswer =
  | {
      readonly tell: "open";
      readonly tunnelPort: number | undefined;
      readonly entryPort: number | undefined;
    }
  | { readonly tell: "stats"; readonly stats: EndStats }
  | { readonly tell: "closed" }
  | { readonly tell: "echo"; readonly port: number }
  | { readonly tell: "failed"; readonly message: string }
  | { readonly tell: "log"; readonly record: LogRecord }
  | {
      readonly tell: "state";
      readonly state: TunnelState;
      readonly reason: string | undefined;
      /** Wall clock of the machine, which both processes share, ms. */
      readonly at: number;
    };
