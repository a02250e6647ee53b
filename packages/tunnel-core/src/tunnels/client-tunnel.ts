import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientSettings, HostPort } from "@nodepass/url-config";
import { carrierOf } from "../carrier/carriers.ts";
import type { ConduitUser } from "../conduit/conduit.ts";
import { EntrySide } from "../entry/entry-side.ts";
import type { TcpEntry } from "../entry/tcp-entry.ts";
import { asTunnelError, TunnelError } from "../errors.ts";
import { ExitSide } from "../exit/exit-side.ts";
import { type HandshakeResult, shakeHands } from "../handshake/handshake-client.ts";
import { connectFirst } from "../names/connect-first.ts";
import { dialledHost, proxyOnTheWay, type Route } from "../proxy/route.ts";
import type { Session } from "../session/session.ts";
import { isOwnFault } from "../system-errors.ts";
import type { TunnelOptions } from "../tunnel.ts";
import { EXTENSIONS } from "../wire/extensions.ts";
import { newClientId, ProofKeys, stretchTunnelKey } from "../wire/proof.ts";
import { tunnelToken } from "../wire/tunnel-token.ts";
import { ClientSession } from "./client-session.ts";
import { TunnelBase } from "./tunnel-base.ts";
import { setFacing } from "./update-settings.ts";

/** First wait before a new try, ms; it doubles up to `NP_SERVICE_COOLDOWN`. */
const FIRST_RETRY_MS = 30;
/** A session that has lived this long, ms, starts the waits over. */
const STABLE_SESSION_MS = 1000;

/** A dual-end client: dials the server and keeps a pool of connections to it. */
export class ClientTunnel extends TunnelBase {
  readonly #settings: ClientSettings;
  /** A successor's is the same: the server lets it take the session over at once. */
  #identity = newClientId();
  /** Addresses that have proved themselves: never spoken to in the 1.14 way again. */
  readonly #provedAddresses = new Set<string>();
  #entrySide: EntrySide | undefined;
  #exitSide: ExitSide | undefined;
  #current: ClientSession | undefined;
  #failures = 0;

  constructor(settings: ClientSettings, options: TunnelOptions) {
    super(settings, options);
    this.#settings = settings;
  }

  override replace(former: TunnelBase): void {
    super.replace(former);
    if (former instanceof ClientTunnel) this.#identity = former.#identity;
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
    void this.#run(keys);
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

  async #run(keys: ProofKeys): Promise<void> {
    while (!this.closingOrClosed) {
      let failure: TunnelError;
      const startedAt = performance.now();
      try {
        failure = new TunnelError("PEER_LOST", await this.#serveSession(keys));
        if (performance.now() - startedAt >= STABLE_SESSION_MS) this.#failures = 0;
      } catch (error) {
        failure = asTunnelError(error, "PEER_LOST");
      }
      if (this.closingOrClosed) return;
      this.context.logLimited("warn", "not connected", { reason: failure.message });
      this.setState("error", failure);
      await this.#pause();
    }
  }

  /** Waits before the next try: longer each time, never all clients in step. */
  async #pause(): Promise<void> {
    const longest = this.context.limits.serviceCooldownMs;
    const wait = Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    const jittered = wait * (0.5 + Math.random() / 2);
    await sleep(jittered, undefined, { signal: this.lifetime.signal }).catch(() => {
      // The tunnel is closing.
    });
  }

  /** One session from handshake to end. @returns why it ended */
  async #serveSession(keys: ProofKeys): Promise<string> {
    const { tunnel } = this.#settings;
    const { context } = this;
    const serverName = this.#settings.sni ?? (isIP(tunnel.host) === 0 ? tunnel.host : undefined);
    const named = serverName === "" ? undefined : serverName;
    const { met, route } = await this.#meet(keys, named);
    const carrier = await carrierOf(met.answer.type, this.options.carriers);
    if (carrier.type === 1 && route.proxy !== undefined) {
      throw new TunnelError(
        "UNSUPPORTED_POOL_TYPE",
        "the server wants type=1 (QUIC), which is UDP: no proxy (via) carries that",
      );
    }
    await this.#takeRole(met.answer.flow);
    if (this.closingOrClosed) return "closing";
    let onEnded: (reason: string) => void = () => {};
    const ended = new Promise<string>((resolve) => {
      onEnded = resolve;
    });
    const current = new ClientSession({
      context,
      settings: this.#settings,
      met,
      route,
      serverName: named,
      ca: this.options.ca,
      carrier,
      owner: {
        exit: this.#exitSide,
        onReady: (session) => this.#ready(session),
        onAvailable: () => this.#entrySide?.queue.serve(),
        onEnd: (_session, reason) => onEnded(reason),
      },
    });
    this.#current = current;
    current.start();
    const reason = await ended;
    this.#entrySide?.queue.setSession(undefined);
    // The server, or its proxy, may have moved: it is looked up before the next handshake.
    context.names.failed(dialledHost(route, tunnel));
    this.setPeer(false);
    if (!this.closingOrClosed) context.log("warn", "session ended", { reason });
    return `session ended: ${reason}`;
  }

  /** Tries the server's addresses in turn; with a proxy on the way, the proxy's. */
  async #meet(
    keys: ProofKeys,
    serverName: string | undefined,
  ): Promise<{ met: HandshakeResult; route: Route }> {
    const { tunnel, compat, key, path, front, via } = this.#settings;
    const through = proxyOnTheWay(via, tunnel, this.options.proxyEnvironment);
    const dialled = through ?? tunnel;
    const { ca } = this.options;
    const { names } = this.context;
    const addresses = (await names.resolve(dialled.host)).map((resolved) => resolved.address);
    let lastError: unknown;
    for (const address of await this.#inOrder(dialled, addresses)) {
      const proxy = through && { through, to: tunnel };
      const route: Route = { address, port: dialled.port, proxy };
      // Through a proxy the server's address is not known here, only what it is asked for.
      const server = through === undefined ? address : tunnel.host;
      try {
        const startedAt = performance.now();
        const allow114 = compat && !this.#provedAddresses.has(server);
        const met = await shakeHands({
          address: server,
          port: tunnel.port,
          route,
          path,
          front,
          ca: ca === undefined ? undefined : [ca].flat(),
          serverName,
          keys,
          token: allow114 ? tunnelToken(key) : undefined,
          client: this.#identity,
          extensions: EXTENSIONS,
          timeoutMs: this.context.limits.handshakeTimeoutMs,
          signal: this.lifetime.signal,
        });
        this.context.latencies.handshake.observe(performance.now() - startedAt);
        if (met.proved) this.#provedAddresses.add(server);
        return { met, route };
      } catch (error) {
        if (this.closingOrClosed) throw error;
        if (!isOwnFault(error)) names.failed(dialled.host, address);
        lastError = error;
      }
    }
    throw lastError;
  }

  /**
   * The server's addresses, first the one that takes a connection first: of several, one that
   * swallows what is sent to it would cost the time of a whole handshake.
   */
  async #inOrder(dialled: HostPort, addresses: readonly string[]): Promise<readonly string[]> {
    if (addresses.length < 2) return addresses;
    const { names, limits } = this.context;
    const signal = AbortSignal.any([
      this.lifetime.signal,
      AbortSignal.timeout(limits.handshakeTimeoutMs),
    ]);
    const first = await connectFirst(names, dialled, signal);
    first.socket.destroy();
    return [first.address, ...addresses.filter((address) => address !== first.address)];
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

  #ready(session: Session): void {
    this.#entrySide?.queue.setSession(session);
    this.context.log("info", "session established", {
      peer: session.terms.peer,
      flow: session.terms.flow === "-" ? "reverse" : "forward",
      proved: session.terms.proved,
    });
    this.setPeer(true);
    this.setState("running");
  }

  protected override tick(): void {
    this.#current?.tick();
    super.tick();
  }

  protected override retiring(): boolean {
    return this.#current?.session.retiring === true;
  }

  protected override waitingUsers(): ConduitUser[] {
    return this.#entrySide?.queue.leave() ?? [];
  }

  protected tcpEntry(): TcpEntry | undefined {
    return this.#entrySide?.tcp;
  }

  protected poolSize(): number {
    return this.#current?.session.poolSize ?? 0;
  }

  protected stopTaking(): void {
    this.#entrySide?.stopTaking();
    // A 1.14 peer cuts its relays with the session: let them finish first.
    if (this.#current?.session.terms.proved === true) this.#current.retire("closing");
  }

  protected endAll(): void {
    this.#current?.session.end("closing");
    this.#entrySide?.close();
    this.#exitSide?.close();
  }
}
