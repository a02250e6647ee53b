import { formatHostPort, type HostPort, type ServerSettings } from "@nodepass/url-config";
import type { Offence, Offences } from "../access/bans.ts";
import { type BoundAddress, bindAddress } from "../bind-address.ts";
import type { CarrierListener } from "../carrier/carrier.ts";
import { carrierOf } from "../carrier/carriers.ts";
import type { MoreCarriers } from "../carrier/more-carriers.ts";
import { TunnelError } from "../errors.ts";
import { HTTPS_PORT } from "../handshake/handshake-client.ts";
import { HandshakeServer } from "../handshake/handshake-server.ts";
import { type KeyHolder, KeyRing } from "../handshake/key-ring.ts";
import { PoolGreeter } from "../pool/pool-greeter.ts";
import { Lingerer } from "../stream/lingerer.ts";
import type { CertificateSource } from "../tls/certificate-source.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { PortCertificates } from "./port-certificates.ts";
import { SessionDirectory } from "./session-directory.ts";
import { TunnelListener } from "./tunnel-listener.ts";

/** A server tunnel that wants to be on a port. */
export interface Tenant extends KeyHolder {
  readonly context: TunnelContext;
  readonly settings: ServerSettings;
  /** From files (`tls` 2). The port closes it. */
  readonly certificate: CertificateSource | undefined;
}

/** A tunnel's place on its port. */
export interface Tenancy {
  readonly port: TunnelPort;
  readonly bound: BoundAddress;
  /** Where its sessions are listed, with those of the others. */
  readonly sessions: SessionDirectory;
  /** Fingerprint of the certificate that who asks for this name gets; empty without TLS. */
  fingerprintFor(name: string): string;
  /** Takes no handshakes any more; when nobody does, the port is given up. Idempotent. */
  stopTaking(): void;
  /** Its sessions have ended, too. Idempotent. */
  close(): void;
}

export interface TunnelPortOptions {
  /** Bound by predecessors. */
  readonly from: readonly BoundAddress[];
  readonly carriers: MoreCarriers | undefined;
  /** It is not listening any more: the next tunnel binds the address anew. */
  onGivenUp(port: TunnelPort): void;
}

/**
 * The tunnel port of one server tunnel, or of several with different keys: one listener, of which the
 * handshakes say by their keys, and the pool connections by their sessions, whose they are. What
 * decides how first bytes are read has to be the same for all of them: `type`, `path`, and whether
 * there is TLS.
 */
export class TunnelPort implements Offences {
  readonly bound: BoundAddress;
  readonly #shape: ServerSettings;
  readonly #options: TunnelPortOptions;
  readonly #ring = new KeyRing();
  readonly #certificates: PortCertificates;
  readonly #sessions: SessionDirectory;
  readonly #tenants = new Set<Tenant>();
  readonly #lingerer = new Lingerer();
  #handshakes: HandshakeServer | undefined;
  #greeter: PoolGreeter | undefined;
  #carrier: CarrierListener | undefined;
  #listener: TunnelListener | undefined;
  #givenUp = false;

  private constructor(
    bound: BoundAddress,
    certificates: PortCertificates,
    tenant: Tenant,
    options: TunnelPortOptions,
  ) {
    this.bound = bound;
    this.#certificates = certificates;
    this.#shape = tenant.settings;
    this.#options = options;
    this.#sessions = new SessionDirectory(this);
  }

  /**
   * Binds the tunnel address, for a first tunnel.
   *
   * @throws {TunnelError} as `bindAddress`, or `UNSUPPORTED_POOL_TYPE`
   */
  static async open(tenant: Tenant, options: TunnelPortOptions): Promise<TunnelPort> {
    const { settings } = tenant;
    const kind = await carrierOf(settings.type, options.carriers);
    const certificates = new PortCertificates();
    if (needsCertificate(settings)) await certificates.add(tenant.certificate);
    let port: TunnelPort | undefined;
    const bound = await bindAddress(settings.tunnel, {
      tcp: true,
      udp: false,
      keepAlive: true,
      from: options.from,
      onError: (error) => {
        port?.logLimited("error", "tunnel listener failed", { error: error.message });
      },
    });
    port = new TunnelPort(bound, certificates, tenant, options);
    try {
      await port.#listen(tenant, kind);
    } catch (error) {
      port.#end();
      throw error;
    }
    return port;
  }

  async #listen(tenant: Tenant, kind: Awaited<ReturnType<typeof carrierOf>>): Promise<void> {
    const { limits, buffers } = tenant.context;
    const { tls, type, path } = this.#shape;
    const handshakes = new HandshakeServer({
      context: { logLimited: this.logLimited, offended: this.offended, limits },
      ring: this.#ring,
      path,
      // Where the pool speaks HTTP a reverse proxy may stand in front.
      proxied: type === 2 || type === 3,
    });
    this.#handshakes = handshakes;
    const greeter = new PoolGreeter(this, this.#sessions, limits.handshakeTimeoutMs);
    this.#greeter = greeter;
    const carrier = await kind.listen({
      host: this.bound.host,
      port: this.bound.port,
      path,
      certificate: tls === 0 ? undefined : this.#certificates,
      reportIntervalMs: limits.reportIntervalMs,
      buffers,
      lingerer: this.#lingerer,
      newcomers: {
        timeoutMs: limits.handshakeTimeoutMs,
        onDropped: (reason, { address }) => this.logLimited("warn", reason, { address }),
        expectsMany: (address) => this.#sessions.expectsMany(address),
        sessions: this.#sessions,
      },
      log: this.logLimited,
      onStream: (arrival) => {
        // Over QUIC it has come by no listener of ours.
        if (type !== 1 || this.#admits(arrival.address)) greeter.greet(arrival);
        else arrival.stream.destroy();
      },
    });
    this.#carrier = carrier;
    this.#listener = new TunnelListener({
      context: { logLimited: this.logLimited, offended: this.offended, limits },
      certificates: this.#certificates,
      poolTls: tls !== 0,
      carrier,
      onHandshake: (socket) => handshakes.serve(socket),
      sessions: this.#sessions,
    });
  }

  /** What is nobody's is told by the tunnel that has been here longest. */
  readonly logLimited: TunnelContext["logLimited"] = (level, message, fields) => {
    this.#ring.oldest?.context.logLimited(level, message, fields);
  };

  /** Whose it would have been is not known: it counts at each. */
  readonly offended = (address: string, offence: Offence): void => {
    for (const { context } of this.#tenants) context.peerGate?.offended(address, offence);
  };

  /** Whether one from this address may come to any of the tunnels; to which, its key will say. */
  #admits(address: string): boolean {
    let closed: TunnelContext["peerGate"];
    for (const { context } of this.#tenants) {
      const { peerGate } = context;
      if (peerGate === undefined || peerGate.isOpenTo(address)) return true;
      closed ??= peerGate;
    }
    return closed?.admits(address) ?? true;
  }

  /** Whether another tunnel can come. */
  get open(): boolean {
    return !this.#givenUp;
  }

  /** Whether it was bound for this address. */
  isAt({ host, port }: HostPort): boolean {
    const { asked } = this.bound;
    return host === asked.host && (port === this.bound.port || port === asked.port);
  }

  /** Whether nobody but this tunnel is here. */
  isOnly(tenant: Tenant | undefined): boolean {
    return this.#ring.size === 1 && this.#ring.oldest === tenant;
  }

  /** Why this tunnel can't be here. @param former whose place it is to take */
  refuses({ settings, keys }: Tenant, former: Tenant | undefined): TunnelError | undefined {
    const { type, path, tls } = this.#shape;
    const at = formatHostPort(this.bound);
    const refused = (why: string): TunnelError =>
      new TunnelError("ADDRESS_IN_USE", `address ${at} (tcp) is in use by a tunnel ${why}`);
    const theSame = (what: string): string => `several on one address need the same ${what}`;
    if (type !== settings.type) return refused(`with type=${type}: ${theSame("type")}`);
    if (path !== settings.path) return refused(`with path=${path}: ${theSame("path")}`);
    if ((tls === 0) !== (settings.tls === 0))
      return refused(`with tls=${tls}: ${theSame("tls")}, or 1 and 2`);
    const same = this.#ring.withKeyOf({ keys });
    if (same === undefined || same === former) return undefined;
    return refused("with the same key: several on one address need different ones");
  }

  /** A tunnel comes. @param former whose place it takes */
  async join(tenant: Tenant, former?: Tenant): Promise<Tenancy> {
    const { settings, certificate } = tenant;
    // First: the port must not be given up meanwhile.
    this.#tenants.add(tenant);
    this.#ring.add(tenant, former);
    if (needsCertificate(settings)) await this.#certificates.add(certificate, former?.certificate);
    this.bound.serve((socket) => {
      if (this.#admits(socket.remoteAddress ?? "")) this.#listener?.accept(socket);
      else socket.destroy();
    });
    return {
      port: this,
      bound: this.bound,
      sessions: this.#sessions,
      fingerprintFor: (name) => {
        if (settings.tls === 0) return "";
        const certificates = this.#certificates;
        return (certificates.several ? certificates.forName(name) : certificates.current())
          .fingerprint;
      },
      stopTaking: () => this.#stopTaking(tenant),
      close: () => this.#leave(tenant),
    };
  }

  #stopTaking(tenant: Tenant): void {
    this.#ring.delete(tenant);
    if (this.#ring.size === 0) this.giveUp();
  }

  /** Listens no more; those who are in go on. */
  giveUp(): void {
    if (this.#givenUp) return;
    this.#givenUp = true;
    this.bound.stopTaking();
    this.#options.onGivenUp(this);
  }

  #leave(tenant: Tenant): void {
    this.#stopTaking(tenant);
    if (!this.#tenants.delete(tenant)) return;
    if (tenant.certificate !== undefined) this.#certificates.delete(tenant.certificate);
    if (this.#tenants.size === 0) this.#end();
  }

  #end(): void {
    this.giveUp();
    this.#listener?.close();
    this.#greeter?.close();
    this.#carrier?.close();
    this.#handshakes?.close();
    this.#lingerer.close();
    this.bound.close();
    this.#certificates.close();
  }
}

/** On port 443 the handshake goes over TLS whatever `tls` is. */
function needsCertificate({ tls, tunnel }: ServerSettings): boolean {
  return tls !== 0 || tunnel.port === HTTPS_PORT;
}
