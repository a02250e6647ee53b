import type { ServerSettings } from "@nodepass/url-config";
import { bindAddress } from "../bind-address.ts";
import type { CarrierListener } from "../carrier/carrier.ts";
import { carrierOf } from "../carrier/carriers.ts";
import type { ConduitUser } from "../conduit/conduit.ts";
import { EntrySide } from "../entry/entry-side.ts";
import type { TcpEntry } from "../entry/tcp-entry.ts";
import { TunnelError } from "../errors.ts";
import { ExitSide } from "../exit/exit-side.ts";
import { HTTPS_PORT } from "../handshake/handshake-client.ts";
import { HandshakeServer } from "../handshake/handshake-server.ts";
import { TunnelListener } from "../listener/tunnel-listener.ts";
import { PoolGreeter } from "../pool/pool-greeter.ts";
import type { Session } from "../session/session.ts";
import { openCertificateFiles } from "../tls/certificate-files.ts";
import type { CertificateSource } from "../tls/certificate-source.ts";
import { createSelfSignedCertificate } from "../tls/self-signed.ts";
import type { TunnelOptions } from "../tunnel.ts";
import { ProofKeys, stretchTunnelKey } from "../wire/proof.ts";
import { tunnelToken } from "../wire/tunnel-token.ts";
import { ServerSessions } from "./server-sessions.ts";
import { TunnelBase } from "./tunnel-base.ts";
import { setFacing } from "./update-settings.ts";

/** A dual-end server: listens on the tunnel address for its client. */
export class ServerTunnel extends TunnelBase {
  readonly #settings: ServerSettings;
  #sessions: ServerSessions | undefined;
  #entrySide: EntrySide | undefined;
  #exitSide: ExitSide | undefined;
  #tunnelListener: TunnelListener | undefined;
  #greeter: PoolGreeter | undefined;
  #handshakes: HandshakeServer | undefined;
  #carrier: CarrierListener | undefined;
  #certificate: CertificateSource | undefined;

  constructor(settings: ServerSettings, options: TunnelOptions) {
    super(settings, options);
    // The ones that `update` changes.
    this.#settings = this.settings.scheme === "server" ? this.settings : settings;
  }

  async start(): Promise<void> {
    const settings = this.#settings;
    const { context } = this;
    if (!settings.keyGiven) {
      context.log("warn", "no key in the URL: everybody who reaches the tunnel port can use it");
    }
    const [keys, certificate] = await Promise.all([
      stretchTunnelKey(settings.key).then((stretched) => new ProofKeys(stretched)),
      this.#openCertificate(),
    ]);
    this.#certificate = certificate;
    const flow = await this.#chooseFlow();
    if (this.closingOrClosed) {
      this.endAll();
      return;
    }
    const sessions = new ServerSessions({
      context,
      settings,
      keys,
      flow,
      certificate,
      owner: {
        exit: this.#exitSide,
        onReady: (session) => this.#ready(session),
        onAvailable: () => this.#entrySide?.queue.serve(),
        onEnd: (session, reason) => this.#lost(session, reason),
      },
    });
    this.#sessions = sessions;
    await this.#listen(sessions, keys);
    if (this.closingOrClosed) {
      this.endAll();
      return;
    }
    this.startReporting();
    this.setState("running");
  }

  async #openCertificate(): Promise<CertificateSource | undefined> {
    const { tls, crt, keyFile, tunnel } = this.#settings;
    if (tls === 2) {
      if (crt === undefined || keyFile === undefined) {
        throw new TunnelError("CERTIFICATE_INVALID", "tls=2 needs crt and key");
      }
      const settings = this.#settings;
      // Other files may be named while it runs.
      return openCertificateFiles({
        get certPath() {
          return settings.crt ?? crt;
        },
        get keyPath() {
          return settings.keyFile ?? keyFile;
        },
      });
    }
    // On port 443 the handshake goes over TLS whatever `tls` is.
    if (tls === 1 || tunnel.port === HTTPS_PORT) return createSelfSignedCertificate();
    return undefined;
  }

  /** Mode 0: reverse if the target address can be bound here, else forward. */
  async #chooseFlow(): Promise<"-" | "+"> {
    const { mode } = this.#settings;
    const { context } = this;
    if (mode !== 2) {
      const side = new EntrySide(context, this.options.entries);
      try {
        this.entry = await side.open(this.offered("entry"));
        this.portCounts = side.counts;
        this.#entrySide = side;
        this.runMode = 1;
        return "-";
      } catch (error) {
        if (mode === 1 || !(error instanceof TunnelError)) throw error;
        context.log("info", "target address is not bindable here: forward mode", {
          reason: error.message,
        });
      }
    }
    if (this.#settings.hosts.length > 0) {
      context.log("warn", "host has no effect: in forward flow users connect at the client");
    }
    setFacing(context, this.#settings, "targets");
    this.#exitSide = new ExitSide(context);
    this.runMode = 2;
    return "+";
  }

  async #listen(sessions: ServerSessions, keys: ProofKeys): Promise<void> {
    const { context } = this;
    const settings = this.#settings;
    const handshakes = new HandshakeServer({
      context,
      keys,
      token: settings.compat ? tunnelToken(settings.key) : undefined,
      path: settings.path,
      // Where the pool speaks HTTP a reverse proxy may stand in front.
      proxied: settings.type === 2 || settings.type === 3,
      admit: (applicant) => sessions.admit(applicant),
    });
    this.#handshakes = handshakes;
    const kind = await carrierOf(settings.type, this.options.carriers);
    try {
      this.listener = await bindAddress(settings.tunnel, {
        tcp: true,
        udp: false,
        keepAlive: true,
        from: this.offered("listener"),
        onError: (error) => {
          context.logLimited("error", "tunnel listener failed", { error: error.message });
        },
      });
    } catch (error) {
      this.#entrySide?.close();
      throw error;
    }
    const { limits, buffers } = context;
    const greeter = new PoolGreeter(context, sessions, limits.handshakeTimeoutMs);
    this.#greeter = greeter;
    const carrier = await kind.listen({
      host: this.listener.host,
      port: this.listener.port,
      path: settings.path,
      certificate: settings.tls === 0 ? undefined : this.#certificate,
      reportIntervalMs: limits.reportIntervalMs,
      buffers,
      lingerer: context.lingerer,
      newcomers: {
        timeoutMs: limits.handshakeTimeoutMs,
        onDropped: (reason, { address }) => context.logLimited("warn", reason, { address }),
        expectsMany: (address) => sessions.expectsMany(address),
      },
      log: context.logLimited,
      onStream: (arrival) => {
        // Over QUIC it has come by no listener of ours.
        if (settings.type !== 1 || context.peerGate?.admits(arrival.address) !== false) {
          greeter.greet(arrival);
        } else arrival.stream.destroy();
      },
    });
    const listener = new TunnelListener({
      context,
      certificate: this.#certificate,
      poolTls: settings.tls !== 0,
      carrier,
      onHandshake: (socket) => handshakes.serve(socket),
      expectsSilent: (address) => sessions.expectsSilent(address),
      expectsMany: (address) => sessions.expectsMany(address),
    });
    this.#carrier = carrier;
    this.#tunnelListener = listener;
    if (context.bans !== undefined) {
      context.bans.isExempt = (address) =>
        sessions.expectsMany(address) || sessions.expectsSilent(address);
    }
    this.listener.serve((socket) => {
      if (context.peerGate?.admits(socket.remoteAddress ?? "") === false) socket.destroy();
      else listener.accept(socket);
    });
    context.log("info", "server listening", {
      tunnel: `${this.listener.host}:${this.listener.port}`,
      flow: this.runMode === 1 ? "reverse" : "forward",
      ...(this.entry === undefined ? {} : { users: `${this.entry.host}:${this.entry.port}` }),
      tls: settings.tls,
      type: settings.type,
    });
  }

  #ready(session: Session): void {
    this.#entrySide?.queue.setSession(session);
    this.context.log("info", "session established", { peer: session.terms.peer });
    this.setPeer(true);
    this.setState("running");
  }

  #lost(session: Session, reason: string): void {
    if (this.closingOrClosed || this.#sessions?.session !== session) return;
    this.#entrySide?.queue.setSession(undefined);
    this.context.log("warn", "session ended", { reason });
    this.setPeer(false);
    this.setState("error", new TunnelError("PEER_LOST", `session ended: ${reason}`));
  }

  protected override retiring(): boolean {
    return this.#sessions?.session?.retiring === true;
  }

  protected override waitingUsers(): ConduitUser[] {
    return this.#entrySide?.queue.leave() ?? [];
  }

  protected tcpEntry(): TcpEntry | undefined {
    return this.#entrySide?.tcp;
  }

  protected poolSize(): number {
    return this.#sessions?.session?.poolSize ?? 0;
  }

  protected stopTaking(): void {
    this.listener?.stopTaking();
    this.#entrySide?.stopTaking();
    // A 1.14 peer cuts its relays with the session: let them finish first.
    if (this.#sessions?.session?.terms.proved === true) this.#sessions.retire("closing");
  }

  protected endAll(): void {
    this.#sessions?.close("closing");
    this.#tunnelListener?.close();
    this.#greeter?.close();
    this.#carrier?.close();
    this.#handshakes?.close();
    this.listener?.close();
    this.#entrySide?.close();
    this.#exitSide?.close();
    this.#certificate?.close();
  }
}
