import { setTimeout as sleep } from "node:timers/promises";
import { type ClientSettings, formatHostPort, type HostPort } from "@nodepass/url-config";
import { carrierOf } from "../carrier/carriers.ts";
import type { ConduitUser } from "../conduit/conduit.ts";
import { EntrySide } from "../entry/entry-side.ts";
import type { TcpEntry } from "../entry/tcp-entry.ts";
import { asTunnelError, TunnelError } from "../errors.ts";
import { ExitSide } from "../exit/exit-side.ts";
import { countedExit } from "../peers/counted-exit.ts";
import { type BalancedPeer, PeerBalance } from "../peers/peer-balance.ts";
import { PeerLoad } from "../peers/peer-load.ts";
import { dialledHost } from "../proxy/route.ts";
import type { TunnelOptions } from "../tunnel.ts";
import type { PeerState } from "../tunnel-reports.ts";
import { ProofKeys, stretchTunnelKey } from "../wire/proof.ts";
import { inOrderOfAnswer } from "./best-server.ts";
import { ClientSession } from "./client-session.ts";
import { type Meeting, ServerLink } from "./server-link.ts";
import { TunnelBase } from "./tunnel-base.ts";
import { setFacing } from "./update-settings.ts";

/** First wait before a new try, ms; it doubles up to `NP_SERVICE_COOLDOWN`. */
const FIRST_RETRY_MS = 30;
/** A session that has lived this long, ms, starts the waits over. */
const STABLE_SESSION_MS = 1000;
/** Longest handshake, ms, before another server is tried; when none is left they get their time. */
const IMPATIENT_MS = 800;

/** Which servers are tried, the best first, and until when; both change with the flow. */
interface Loop {
  links: readonly ServerLink[];
  until: AbortSignal;
}

/**
 * A dual-end client: dials the server and keeps a pool of connections to it. With several servers it
 * tries one after the other, the best that answers first, until one says who takes the users: if that
 * is the client, one session is enough, and another server is taken when it ends; if it is the
 * servers, each of them is held by a session of its own.
 */
export class ClientTunnel extends TunnelBase {
  readonly #settings: ClientSettings;
  readonly #links: readonly ServerLink[];
  readonly #balance = new PeerBalance(undefined);
  #entrySide: EntrySide | undefined;
  #exitSide: ExitSide | undefined;
  /** The servers take the users, and each is held by a loop of its own; which ends with it. */
  #holding: AbortController | undefined;

  constructor(settings: ClientSettings, options: TunnelOptions) {
    super(settings, options);
    this.#settings = settings;
    const servers = [settings.tunnel, ...settings.otherServers];
    this.#links = servers.map(
      (server, index) =>
        new ServerLink({
          context: this.context,
          settings,
          tunnelOptions: options,
          server,
          number: index + 1,
          load: servers.length > 1 ? new PeerLoad() : undefined,
        }),
    );
  }

  override replace(former: TunnelBase): void {
    super.replace(former);
    if (!(former instanceof ClientTunnel)) return;
    // As the same client a successor takes its sessions over at once.
    for (const link of this.#links) {
      const same = former.#links.find(({ server }) => isSame(server, link.server));
      const before = same ?? (this.#several ? undefined : former.#links[0]);
      if (before !== undefined) link.identity = before.identity;
    }
  }

  async start(): Promise<void> {
    const { settings, context } = this;
    this.runMode = 2;
    if (!settings.keyGiven) {
      context.log("warn", "no key in the URL: everybody who reaches the tunnel port can use it");
    }
    const keys = new ProofKeys(await stretchTunnelKey(settings.key));
    if (this.closingOrClosed) return;
    await this.#takeEntry();
    if (this.closingOrClosed) {
      this.endAll();
      return;
    }
    this.startReporting();
    void this.#run(keys, { links: this.#links, until: this.lifetime.signal });
  }

  /** Users go on coming in where they did: that this is still the entry is known only later. */
  async #takeEntry(): Promise<void> {
    const at = this.settings.targets[0];
    const offered = this.offered("entry").filter(({ asked, host, port }) => {
      return host === at?.host && (port === at.port || asked.port === at.port);
    });
    if (offered.length === 0) return;
    const side = new EntrySide(this.context);
    this.entry = await side.open(offered);
    this.portCounts = side.counts;
    this.#entrySide = side;
  }

  get #several(): boolean {
    return this.#links.length > 1;
  }

  /** Serves one session after the other until the tunnel closes, or the loop is told to end. */
  async #run(keys: ProofKeys, loop: Loop): Promise<void> {
    let failures = 0;
    while (!(loop.until.aborted || this.closingOrClosed)) {
      let failure: TunnelError;
      const startedAt = performance.now();
      try {
        failure = new TunnelError("PEER_LOST", await this.#serveSession(keys, loop));
        if (performance.now() - startedAt >= STABLE_SESSION_MS) failures = 0;
      } catch (error) {
        failure = asTunnelError(error, "PEER_LOST");
      }
      if (loop.until.aborted || this.closingOrClosed) return;
      this.context.logLimited("warn", "not connected", { reason: failure.message });
      // Others may serve.
      if (this.#balance.size === 0) this.setState("error", failure);
      await this.#pause(failures++, loop.until);
    }
  }

  /** Waits before the next try: longer each time, never all clients in step. */
  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const longest = this.context.limits.serviceCooldownMs;
    const wait = Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(failures, 16));
    const jittered = wait * (0.5 + Math.random() / 2);
    await sleep(jittered, undefined, { signal }).catch(() => {
      // The loop is over.
    });
  }

  /** Meets one of the servers: the best that answers. */
  async #meet(
    keys: ProofKeys,
    links: readonly ServerLink[],
    signal: AbortSignal,
  ): Promise<Meeting & { readonly link: ServerLink }> {
    const { handshakeTimeoutMs } = this.context.limits;
    const ordered = links.length > 1 ? await inOrderOfAnswer(links, signal) : links;
    const impatient = ordered.length > 1 ? [Math.min(IMPATIENT_MS, handshakeTimeoutMs)] : [];
    let lastError: unknown;
    for (const timeoutMs of [...impatient, handshakeTimeoutMs]) {
      let timedOut = false;
      for (const link of ordered) {
        try {
          return { link, ...(await link.meet({ keys, timeoutMs, signal })) };
        } catch (error) {
          if (signal.aborted) throw error;
          lastError = error;
          timedOut ||= error instanceof TunnelError && error.code === "HANDSHAKE_TIMEOUT";
          link.reason = error instanceof Error ? error.message : String(error);
        }
      }
      // Only who had too little time may do better with more.
      if (!timedOut) break;
    }
    throw lastError;
  }

  /** One session from handshake to end. @returns why it ended */
  async #serveSession(keys: ProofKeys, loop: Loop): Promise<string> {
    const { context } = this;
    const { link, met, route } = await this.#meet(keys, loop.links, loop.until);
    const carrier = await carrierOf(met.answer.type, this.options.carriers);
    if (carrier.type === 1 && route.proxy !== undefined) {
      throw new TunnelError(
        "UNSUPPORTED_POOL_TYPE",
        "the server wants type=1 (QUIC), which is UDP: no proxy (via) carries that",
      );
    }
    if (this.#several && !loop.until.aborted) this.#agreeOnFlow(met.answer.flow, link, keys, loop);
    await this.#takeRole(met.answer.flow);
    if (loop.until.aborted || this.closingOrClosed) return "closing";
    let onEnded: (reason: string) => void = () => {};
    const ended = new Promise<string>((resolve) => {
      onEnded = resolve;
    });
    const current = new ClientSession({
      context,
      settings: this.#settings,
      server: link.server,
      met,
      route,
      serverName: link.serverName,
      ca: this.options.ca,
      carrier,
      owner: {
        exit: countedExit(this.#exitSide, link.load),
        onReady: () => this.#ready(link, peer),
        onAvailable: () => this.#entrySide?.queue.serve(),
        onEnd: (_session, reason) => onEnded(reason),
      },
    });
    const peer: BalancedPeer = { number: link.number, session: current.session, load: link.load };
    link.current = current;
    current.start();
    const reason = await ended;
    this.#lost(link, peer, reason);
    // The server, or its proxy, may have moved: it is looked up before the next handshake.
    context.names.failed(dialledHost(route, link.server));
    return `session ended: ${reason}`;
  }

  /**
   * Of several servers, one has said who takes the users. Where they do, each is held from now on, by
   * a loop of its own; where this end does, one loop takes the best of them.
   *
   * @throws {TunnelError} `HANDSHAKE_REJECTED` if others that stand say otherwise
   */
  #agreeOnFlow(flow: "-" | "+", link: ServerLink, keys: ProofKeys, loop: Loop): void {
    if (flow === "-" && this.#holding === undefined) {
      this.#holding = new AbortController();
      const until = AbortSignal.any([this.lifetime.signal, this.#holding.signal]);
      Object.assign(loop, { links: [link], until });
      for (const other of this.#links) {
        if (other !== link) void this.#run(keys, { links: [other], until });
      }
    } else if (flow === "+" && this.#holding !== undefined) {
      if (this.#balance.size > 0) {
        const why = "the server is in forward mode, others of this client in reverse mode";
        link.reason = why;
        throw new TunnelError("HANDSHAKE_REJECTED", `${formatHostPort(link.server)}: ${why}`);
      }
      // All of them have been turned round, or will be.
      this.#holding.abort();
      this.#holding = undefined;
      Object.assign(loop, { links: this.#links, until: this.lifetime.signal });
      for (const { current } of this.#links) current?.session.end("the flow has changed");
    }
  }

  async #takeRole(flow: "-" | "+"): Promise<void> {
    setFacing(this.context, this.settings, flow === "-" ? "targets" : "users");
    if (flow === "-") {
      this.#entrySide?.close();
      this.#entrySide = undefined;
      this.entry = undefined;
      this.#exitSide ??= new ExitSide(this.context);
      return;
    }
    if (this.#entrySide !== undefined) return;
    const side = new EntrySide(this.context);
    this.entry = await side.open(undefined);
    this.portCounts = side.counts;
    if (this.closingOrClosed) side.close();
    else this.#entrySide = side;
  }

  #ready(link: ServerLink, peer: BalancedPeer): void {
    const { terms } = peer.session;
    this.#balance.add(peer);
    this.#entrySide?.queue.setSession(this.#balance);
    this.context.log("info", "session established", {
      peer: terms.peer,
      flow: terms.flow === "-" ? "reverse" : "forward",
      proved: terms.proved,
    });
    if (this.#several) {
      // One that is taken in place of another is a session after the first.
      const before = this.#holding === undefined ? this.#links : [link];
      if (before.some(({ sessions }) => sessions > 0)) this.context.counters.reconnects++;
      link.sessions++;
      link.reason = undefined;
      this.setPeers(true);
    } else this.setPeer(true);
    this.setState("running");
  }

  #lost(link: ServerLink, peer: BalancedPeer, reason: string): void {
    this.#balance.delete(peer);
    const isLast = this.#balance.size === 0;
    if (isLast) this.#entrySide?.queue.setSession(undefined);
    link.reason = reason;
    if (this.#several) this.setPeers(!isLast);
    else this.setPeer(false);
    if (!this.closingOrClosed) {
      this.context.log("warn", "session ended", {
        reason,
        ...(this.#several && { server: formatHostPort(link.server) }),
      });
    }
  }

  get #sessions(): ClientSession[] {
    return this.#links.flatMap(({ current }) => current ?? []);
  }

  override peers(): readonly PeerState[] {
    return this.#links.flatMap(({ state }) => state ?? []);
  }

  protected override tick(): void {
    for (const session of this.#sessions) session.tick();
    super.tick();
  }

  protected override retiring(): boolean {
    return this.#sessions.some(({ session }) => session.retiring);
  }

  protected override waitingUsers(): ConduitUser[] {
    return this.#entrySide?.queue.leave() ?? [];
  }

  protected tcpEntry(): TcpEntry | undefined {
    return this.#entrySide?.tcp;
  }

  protected poolSize(): number {
    return this.#sessions.reduce((sum, { session }) => sum + session.poolSize, 0);
  }

  protected stopTaking(succeeded: boolean): void {
    this.#entrySide?.stopTaking(succeeded);
    for (const current of this.#sessions) {
      // A 1.14 peer cuts its relays with the session: let them finish first.
      if (current.session.terms.proved) current.retire("closing");
    }
  }

  protected endAll(): void {
    for (const { session } of this.#sessions) session.end("closing");
    this.#entrySide?.close();
    this.#exitSide?.close();
  }
}

function isSame(one: HostPort, other: HostPort): boolean {
  return one.host === other.host && one.port === other.port;
}
