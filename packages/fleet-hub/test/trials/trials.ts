import { whyNoDisk } from "test-support/loop-disk";
import { engineDownTrial } from "./engine-down.ts";
import { failoverTrial } from "./failover.ts";
import { fencingTrial } from "./fencing.ts";
import { poisonTrial } from "./poison.ts";
import { powerCutTrial } from "./power-cut.ts";
import { sizeTrial } from "./size.ts";
import type { Found } from "./support/results.ts";

/** A trial: what it shows, and its options with the values of the full form and of the short one. */
export interface Trial {
  readonly about: string;
  readonly full: Record<string, number>;
  readonly short: Record<string, number>;
  /** What it takes and is not here; `undefined`: nothing. */
  missing?(): string | undefined;
  run(options: never): Promise<Found>;
}

export const TRIALS: Record<string, Trial> = {
  size: {
    about: "members join and sync, idle, create, reconnect at once",
    full: { members: 500, processes: 4, idleMs: 60_000, creates: 300 },
    short: { members: 40, processes: 2, idleMs: 2000, creates: 20 },
    run: sizeTrial,
  },
  failover: {
    about:
      "a process with members that own strict parts is killed; with --hub 1 the leading hub, too",
    full: { killed: 50, others: 950, processes: 4, parts: 100, ttlS: 10, hub: 0 },
    short: { killed: 3, others: 6, processes: 1, parts: 6, ttlS: 3, hub: 1 },
    run: failoverTrial,
  },
  "engine-down": {
    about: "users of real tunnels while the engine is gone",
    full: { tunnels: 1000, masters: 4, downMs: 600_000, rate: 50 },
    short: { tunnels: 10, masters: 1, downMs: 4000, rate: 20 },
    run: engineDownTrial,
  },
  fencing: {
    about: "paths, members, hubs and the engine fail in random order; users see who serves",
    full: { rounds: 20, processes: 3, members: 3, parts: 30, ttlS: 5, engineS: 30, seed: 1 },
    short: { rounds: 1, processes: 2, members: 1, parts: 4, ttlS: 3, engineS: 4, seed: 2000 },
    run: fencingTrial,
  },
  poison: {
    about:
      "bad messages, heartbeats and records of every kind; readers of events beside one that never reads",
    full: { messages: 100_000, readers: 20, events: 500 },
    short: { messages: 2000, readers: 5, events: 50 },
    run: poisonTrial,
  },
  "power-cut": {
    about:
      "the engine's power is cut amid writes, and what it has not synced is gone; an older store comes back",
    full: {
      rounds: 20,
      writers: 8,
      members: 10,
      servers: 1,
      cut: 1,
      mostMs: 4000,
      controlMs: 2000,
    },
    short: {
      rounds: 1,
      writers: 4,
      members: 2,
      servers: 1,
      cut: 1,
      mostMs: 1500,
      controlMs: 300,
    },
    missing: whyNoDisk,
    run: powerCutTrial,
  },
};
