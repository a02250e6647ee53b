import type { ConfiguredTunnel } from "@nodepass/config-file";
import {
  changeInPlace,
  EntryPorts,
  openTunnel,
  type Tunnel,
  TunnelError,
  type TunnelOptions,
} from "@nodepass/tunnel-core";
import { type ClientSettings, format, type ServerSettings } from "@nodepass/url-config";

type Settings = ServerSettings | ClientSettings;

/** What a reload did, as names of tunnels. */
export interface ReloadReport {
  readonly unchanged: readonly string[];
  readonly inPlace: readonly string[];
  readonly replaced: readonly string[];
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** Could not become what they shall be: new ones are not there, others are as they were. */
  readonly failed: readonly { readonly name: string; readonly error: Error }[];
}

/** How tunnels are opened, and who is told. */
export interface TunnelSetOptions {
  /** Options of all tunnels. */
  readonly tunnelOptions: TunnelOptions;
  /** Called with each tunnel before it starts. */
  onCreate(name: string, tunnel: Tunnel): void;
  /** A tunnel has ended by itself; the next `become` opens it anew. */
  onEnded(name: string, reason: string): void;
}

interface Running {
  readonly tunnel: Tunnel;
  settings: Settings;
}

/** The tunnels of this process, which become what files say. */
export class TunnelSet {
  /** Users' ports that several of the file share by names. */
  readonly #entries = new EntryPorts();
  readonly #options: TunnelSetOptions;
  readonly #running = new Map<string, Running>();
  /** Closed or replaced; their connections have their time. */
  readonly #draining = new Map<Tunnel, Promise<void>>();

  constructor(options: TunnelSetOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Those that run, by name. */
  *tunnels(): Generator<readonly [name: string, tunnel: Tunnel]> {
    for (const [name, { tunnel }] of this.#running) yield [name, tunnel];
  }

  /**
   * Makes the tunnels what is desired: what did not change is not touched, what can change while it
   * runs does, what can't is replaced and drains, what is gone drains, what is new is opened. One at
   * a time: not to be called again before it has resolved.
   */
  async become(desired: readonly ConfiguredTunnel[]): Promise<ReloadReport> {
    const wanted = new Map(
      desired.filter(({ start }) => start).map(({ name, settings }) => [name, settings]),
    );
    const report = {
      unchanged: [] as string[],
      inPlace: [] as string[],
      replaced: [] as string[],
      opened: [] as string[],
      closed: [] as string[],
      failed: [] as { name: string; error: Error }[],
    };
    this.#rename(wanted);
    // First: what is new may want their addresses.
    for (const [name, { tunnel }] of this.#running) {
      if (wanted.has(name)) continue;
      this.#running.delete(name);
      this.#drain(tunnel);
      report.closed.push(name);
    }
    for (const [name, settings] of wanted) {
      const running = this.#running.get(name);
      try {
        if (running === undefined) {
          await this.#open(name, settings, undefined);
          report.opened.push(name);
        } else if (format(running.settings) === format(settings)) {
          report.unchanged.push(name);
        } else if (changeInPlace(running.tunnel, settings)) {
          running.settings = settings;
          report.inPlace.push(name);
        } else {
          await this.#replace(name, running, settings);
          report.replaced.push(name);
        }
      } catch (error) {
        report.failed.push({
          name,
          error: error instanceof Error ? error : new Error(String(error)),
        });
      }
    }
    return report;
  }

  /** Closes all of them; connections get `timeoutMs` to end. */
  async close(timeoutMs: number): Promise<void> {
    const tunnels = [...this.#running.values()].map(({ tunnel }) => tunnel);
    this.#running.clear();
    const timer = setTimeout(() => this.#cutDraining(), timeoutMs);
    await Promise.all([
      ...tunnels.map((tunnel) => tunnel.close({ timeoutMs })),
      ...this.#draining.values(),
    ]);
    clearTimeout(timer);
  }

  /** A tunnel under another name is the same tunnel. */
  #rename(wanted: ReadonlyMap<string, Settings>): void {
    const free = new Map<string, string>();
    for (const [name, { settings }] of this.#running) {
      if (!wanted.has(name)) free.set(format(settings), name);
    }
    for (const [name, settings] of wanted) {
      const old = this.#running.has(name) ? undefined : free.get(format(settings));
      const running = old === undefined ? undefined : this.#running.get(old);
      if (old === undefined || running === undefined) continue;
      this.#running.delete(old);
      this.#running.set(name, running);
    }
  }

  async #open(name: string, settings: Settings, takeOver: Tunnel | undefined): Promise<void> {
    const tunnel = await openTunnel(settings, {
      ...this.#options.tunnelOptions,
      entries: this.#entries,
      takeOver,
      onCreate: (created) => this.#options.onCreate(name, created),
    });
    this.#running.set(name, { tunnel, settings });
    tunnel.on("state", (state, reason) => {
      if (state !== "closed") return;
      for (const [now, running] of this.#running) {
        if (running.tunnel !== tunnel) continue;
        this.#running.delete(now);
        this.#options.onEnded(now, reason ?? "the tunnel closed");
      }
    });
  }

  async #replace(name: string, { tunnel, settings }: Running, after: Settings): Promise<void> {
    try {
      await this.#open(name, after, tunnel);
      this.#drain(tunnel);
    } catch (error) {
      const isTaken = error instanceof TunnelError && error.code === "ADDRESS_IN_USE";
      if (!isTaken || !listenAlike(settings, after)) throw error;
      // It holds the address itself, in a way that does not pass over (a pool over QUIC).
      this.#running.delete(name);
      await tunnel.close();
      await this.#open(name, after, undefined);
    }
  }

  #drain(tunnel: Tunnel): void {
    const closed = tunnel.close().finally(() => this.#draining.delete(tunnel));
    this.#draining.set(tunnel, closed);
  }

  #cutDraining(): void {
    for (const tunnel of this.#draining.keys()) tunnel.destroy();
  }
}

function listenAlike(before: Settings, after: Settings): boolean {
  return before.tunnel.host === after.tunnel.host && before.tunnel.port === after.tunnel.port;
}
