import type { TotalName } from "./counters.ts";

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
}
