import type { TotalName } from "./counters.ts";

/** What is kept of a quota; changed in place. */
export interface QuotaRecord {
  /** Beginning of the period, milliseconds since 1970. */
  start: number;
  /** Bytes in it. */
  used: number;
  /** The last share that was told of, %; 100: used up. */
  warned: number;
}

/** One instance as it is kept on disk; its owner changes it in place. */
export interface InstanceRecord extends Record<TotalName, number> {
  /** Unique within a state. */
  id: string;
  alias: string;
  type: "server" | "client";
  /** As the client of the API sent it, byte for byte. */
  url: string;
  /** Start it when the master starts. */
  restart: boolean;
  /** It was started and not stopped when the state was written. */
  running: boolean;
  meta: {
    peer: { sid: string; type: string; alias: string };
    tags: Record<string, string>;
  };
  /** Milliseconds since 1970. */
  createdAt?: number | undefined;
  /** What has been used of the quota that its URL gives it, or gave it last. */
  quota?: QuotaRecord | undefined;
}
