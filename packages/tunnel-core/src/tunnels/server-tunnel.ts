import type { ServerSettings } from "@nodepass/url-config";
import type { ConduitUser } from "../conduit/conduit.ts";
import { EntrySide } from "../entry/entry-side.ts";
import type { TcpEntry } from "../entry/tcp-entry.ts";
import { TunnelError } from "../errors.ts";
import { ExitSide } from "../exit/exit-side.ts";
import type { Applicant } from "../handshake/key-ring.ts";
import type { Tenancy, Tenant } from "../listener/tunnel-port.ts";
import { TunnelPorts } from "../listener/tunnel-ports.ts";
import { PeerBalance } from "../peers/peer-balance.ts";
import { openCertificateFiles } from "../tls/certificate-files.ts";
import type { CertificateSource } from "../tls/certificate-source.ts";
import type { TunnelOptions } from "../tunnel.ts";
import type { PeerState } from "../tunnel-reports.ts";
import { ProofKeys, stretchTunnelKey } from "../wire/proof.ts";
import { tunnelToken } from "../wire/tunnel-token.ts";
import type { ClientLink } from "./client-link.ts";
import { ServerSessions } from "./server-sessions.ts";
import { TunnelBase } from "./tunnel-base.ts";
import { setFacing } from "./update-settings.ts";

interface Place {
  readonly tenant: Tenant;
  readonly tenancy: Tenancy;
}

/** A dual-end server: takes its clients on the tunnel address. */
export class ServerTunnel extends TunnelBase {
  readonly #settings: ServerSettings;
  readonly #balance: PeerBalance;
  #sessions: ServerSessions | undefined;
  #entrySide: EntrySide | undefined;
  #exitSide: ExitSide | undefined;
  #place: Place | undefined;
  /** Whose place on the port it is to take. */
  #formerPlace: Place | undefined;

  constructor(settings: ServerSettings, options: TunnelOptions) {
    super(settings, options);
    // The ones that `update` changes.
    this.#settings = this.settings.scheme === "server" ? this.settings : settings;
    this.#balance = new PeerBalance(settings.lbs);
  }

  override replace(former: TunnelBase): void {
    super.replace(former);
    if (former instanceof ServerTunnel) this.#formerPlace = former.#place;
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
    const flow = await this.#chooseFlow();
    if (this.closingOrClosed) {
      this.endAll();
      return;
    }
    await this.#listen(flow, keys, certificate);
    if (this.closingOrClosed) {
      this.endAll();
      return;
    }
    this.startReporting();
    this.setState("running");
  }

  async #openCertificate(): Promise<CertificateSource | undefined> {
    const settings = this.#settings;
    const { tls, crt, keyFile } = settings;
    if (tls !== 2) return undefined;
    if (crt === undefined || keyFile === undefined) {
      throw new TunnelError("CERTIFICATE_INVALID", "tls=2 needs crt and key");
    }
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

  async #listen(
    flow: "-" | "+",
    keys: ProofKeys,
    certificate: CertificateSource | undefined,
  ): Promise<void> {
    const { context, options } = this;
    const settings = this.#settings;
    const tenant: Tenant = {
      context,
      settings,
      keys,
      token: settings.compat ? tunnelToken(settings.key) : undefined,
      certificate,
      admit: async (applicant: Applicant) =>
        this.#sessions?.admit(applicant) ?? "the tunnel is being opened",
    };
    const ports = options.ports ?? new TunnelPorts();
    const former = this.#formerPlace;
    this.#formerPlace = undefined;
    let tenancy: Tenancy;
    try {
      tenancy = await ports.join(tenant, {
        from: this.offered("listener"),
        former,
        carriers: options.carriers,
      });
    } catch (error) {
      certificate?.close();
      throw error;
    }
    this.#place = { tenant, tenancy };
    this.listener = tenancy.bound;
    if (context.bans !== undefined) {
      const { sessions } = tenancy;
      context.bans.isExempt = (address) => sessions.isPresent(address);
    }
    this.#sessions = new ServerSessions({
      context,
      settings,
      keys,
      flow,
      directory: tenancy.sessions,
      fingerprintFor: tenancy.fingerprintFor,
      owner: {
        exit: this.#exitSide,
        onReady: (link, again) => this.#ready(link, again),
        onAvailable: () => this.#entrySide?.queue.serve(),
        onEnd: (link, reason) => this.#lost(link, reason),
      },
    });
    context.log("info", "server listening", {
      tunnel: `${this.listener.host}:${this.listener.port}`,
      flow: this.runMode === 1 ? "reverse" : "forward",
      ...(this.entry === undefined ? {} : { users: `${this.entry.host}:${this.entry.port}` }),
      tls: settings.tls,
      type: settings.type,
    });
  }

  #ready(link: ClientLink, again: boolean): void {
    const { context } = this;
    this.#balance.add(link);
    this.#entrySide?.queue.setSession(this.#balance);
    context.log("info", "session established", {
      peer: link.session.terms.peer,
      ...(this.#several && { client: link.number }),
    });
    if (this.#several) {
      if (again) context.counters.reconnects++;
      this.setPeers(true);
    } else this.setPeer(true);
    this.setState("running");
  }

  #lost(link: ClientLink, reason: string): void {
    this.#balance.delete(link);
    if (this.closingOrClosed) return;
    const isLast = this.#balance.size === 0;
    if (isLast) this.#entrySide?.queue.setSession(undefined);
    this.context.log("warn", "session ended", {
      reason,
      ...(this.#several && { client: link.number }),
    });
    if (this.#several) this.setPeers(!isLast);
    else this.setPeer(false);
    // Those who are left serve.
    if (!isLast) return;
    this.setState("error", new TunnelError("PEER_LOST", `session ended: ${reason}`));
  }

  /** Whether there can be several clients: only then is counted what each does. */
  get #several(): boolean {
    return this.#settings.clients > 1;
  }

  override peers(): readonly PeerState[] {
    if (!this.#several) return [];
    return (this.#sessions?.links ?? []).flatMap(({ number, address, session, load }) => {
      if (load === undefined) return [];
      const { poolSize: pool, ping } = session;
      const connected = session.hasControl;
      return { number, address, connected, reason: undefined, ...load.counters(), pool, ping };
    });
  }

  protected override retiring(): boolean {
    return this.#sessions?.links.some(({ session }) => session.retiring) === true;
  }

  protected override waitingUsers(): ConduitUser[] {
    return this.#entrySide?.queue.leave() ?? [];
  }

  protected tcpEntry(): TcpEntry | undefined {
    return this.#entrySide?.tcp;
  }

  protected poolSize(): number {
    return this.#sessions?.links.reduce((sum, { session }) => sum + session.poolSize, 0) ?? 0;
  }

  protected stopTaking(succeeded: boolean): void {
    this.#place?.tenancy.stopTaking();
    this.#entrySide?.stopTaking(succeeded);
    // A 1.14 peer cuts its relays with the session: let them finish first.
    this.#sessions?.retire("closing");
  }

  protected endAll(): void {
    this.#sessions?.close("closing");
    this.#place?.tenancy.close();
    this.#entrySide?.close();
    this.#exitSide?.close();
  }
}
