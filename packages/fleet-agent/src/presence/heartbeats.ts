import { HEARTBEAT_INTERVAL_MS, type Heartbeat, packMessage } from "@nodepass/fleet-protocol";
import type { InstanceManager } from "@nodepass/instances";
import type { MasterInfo } from "@nodepass/model";

/** What heartbeats tell of. */
export interface HeartbeatOptions {
  readonly instances: Pick<InstanceManager, "list" | "metrics">;
  info(): Promise<Pick<MasterInfo, "cpu">>;
  readonly session: string;
  revision(): number;
  /** Parts that do not run as their records say. */
  drift(): Promise<number>;
  /** @returns whether it went out */
  say(body: Uint8Array): boolean;
  /** @default HEARTBEAT_INTERVAL_MS */
  readonly intervalMs?: number | undefined;
}

/** Whether what heartbeats count has changed is looked at so often, ms: one more goes out at once then. */
const LOOK_MS = 1000;

/**
 * A word of this process every 5 s, and within a second of a change, from its main
 * thread: tunnels run in others.
 */
export class Heartbeats {
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  /** Counts that were told last. */
  #told = "";

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** One at once, and from then on one every interval. */
  start(): void {
    this.stop();
    const beat = (): void => void this.#beat().catch(() => undefined);
    const plan = (): void => {
      clearInterval(this.#timer);
      this.#timer = setInterval(beat, this.#options.intervalMs ?? HEARTBEAT_INTERVAL_MS);
    };
    this.#look = setInterval(() => {
      if (this.#counts().join() === this.#told) return;
      plan();
      beat();
    }, LOOK_MS);
    plan();
    beat();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearInterval(this.#look);
  }

  #counts(): Heartbeat["n"] {
    const { running, stopped, error } = this.#options.instances.metrics();
    return [running, stopped, error];
  }

  async #beat(): Promise<void> {
    const { instances, session, revision, drift, info, say } = this.#options;
    const [list, { cpu }, d] = await Promise.all([instances.list(), info(), drift()]);
    const t: Heartbeat["t"] = [0, 0, 0, 0];
    for (const { tcprx, tcptx, udprx, udptx } of list) {
      t[0] += tcprx;
      t[1] += tcptx;
      t[2] += udprx;
      t[3] += udptx;
    }
    const n = this.#counts();
    this.#told = n.join();
    const beat: Heartbeat = {
      s: session,
      r: revision(),
      n,
      d,
      c: cpu,
      m: process.memoryUsage.rss(),
      t,
    };
    say(packMessage(beat));
  }
}
