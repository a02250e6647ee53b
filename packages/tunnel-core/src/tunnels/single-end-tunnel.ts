import type { ClientSettings } from "@nodepass/url-config";
import { type BoundAddress, bindRange } from "../bind-address.ts";
import { DirectConduits } from "../direct/direct-conduits.ts";
import { DirectUdp } from "../direct/direct-udp.ts";
import { portCountsOf } from "../entry/port-counts.ts";
import { TcpEntry } from "../entry/tcp-entry.ts";
import { TunnelError } from "../errors.ts";
import { proxyOnTheWay } from "../proxy/route.ts";
import { TargetDialer } from "../target/target-dialer.ts";
import type { TunnelOptions } from "../tunnel.ts";
import { UdpTargets } from "../udp/udp-target.ts";
import { TunnelBase } from "./tunnel-base.ts";

/** Single-end forwarding: listens on the tunnel address and forwards to the target directly. */
export class SingleEndTunnel extends TunnelBase {
  readonly #dialer: TargetDialer;
  readonly #tcp: TcpEntry;
  readonly #proxied: boolean;
  readonly #udp: DirectUdp[] = [];
  #bound: readonly BoundAddress[] = [];

  constructor(settings: ClientSettings, options: TunnelOptions) {
    super(settings, options);
    this.#proxied = settings.via !== undefined;
    this.#dialer = new TargetDialer(this.context, (target) =>
      proxyOnTheWay(settings.via, target, options.proxyEnvironment),
    );
    this.#tcp = new TcpEntry(this.context, new DirectConduits(this.context, this.#dialer));
  }

  /** @throws {TunnelError} `ADDRESS_IN_USE` or `BIND_FAILED` if the tunnel address can't be bound */
  async start(): Promise<void> {
    const { settings, context } = this;
    if (this.options.onConnection !== undefined) {
      throw new TunnelError("INVALID_OPTIONS", "onConnection is for the exit of a dual-end tunnel");
    }
    this.runMode = 1;
    if (this.#proxied && settings.udp) {
      context.log("error", "via: no proxy reaches UDP targets, so UDP is not forwarded (noudp=1)");
    }
    const all = await bindRange(settings.tunnel, {
      tcp: settings.tcp,
      udp: settings.udp && !this.#proxied,
      from: this.offered("listener"),
      onError: (error) => context.logLimited("error", "listener failed", { error: error.message }),
    });
    this.#bound = all;
    const [first] = all;
    this.listener = first;
    if (this.closingOrClosed || first === undefined) {
      this.endAll();
      return;
    }
    this.entry = this.listener;
    this.portCounts = portCountsOf(all);
    const targets = new UdpTargets(context);
    for (const [place, bound] of all.entries()) {
      const at = this.portCounts[place];
      bound.serve((socket) => this.#tcp.accept(socket, at));
      if (bound.udp !== undefined) this.#udp.push(new DirectUdp(context, targets, bound.udp, at));
    }
    context.log("info", "forwarding", {
      from: `${first.host}:${first.port}${all.length > 1 ? `-${all.at(-1)?.port}` : ""}`,
      to: settings.targets.map((target) => `${target.host}:${target.port}`).join(","),
    });
    this.startReporting();
    this.setState("running");
  }

  protected override tick(): void {
    if (this.settings.tcp) this.#measure();
    super.tick();
  }

  /**
   * The connect time to the target is what a check point reports as PING; of several, to the first
   * in the list that works.
   */
  #measure(): void {
    const startedAt = performance.now();
    this.#dialer.probe({
      onTarget: (stream) => {
        this.context.counters.ping = Math.max(1, Math.round(performance.now() - startedAt));
        stream.destroy();
      },
      onNoTarget: (error) => {
        this.context.counters.ping = 0;
        this.context.logRarely("warn", "target unreachable", { reason: error.message });
      },
    });
  }

  protected tcpEntry(): TcpEntry {
    return this.#tcp;
  }

  protected poolSize(): number {
    return 0;
  }

  protected stopTaking(succeeded: boolean): void {
    if (succeeded) for (const bound of this.#bound) bound.stopTaking();
    else this.#leave();
  }

  protected endAll(): void {
    this.#dialer.close();
    this.#tcp.close();
    this.#leave();
  }

  /** Gives the address away; only TCP connections that were accepted go on. */
  #leave(): void {
    for (const udp of this.#udp) udp.close();
    for (const bound of this.#bound) bound.close();
  }
}
