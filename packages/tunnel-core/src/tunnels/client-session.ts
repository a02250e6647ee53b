import { type ClientSettings, formatHostPort, type HostPort } from "@nodepass/url-config";
import type { Carrier, CarrierTls } from "../carrier/carrier.ts";
import type { HandshakeResult } from "../handshake/handshake-client.ts";
import { tls as nodeTls } from "../node-tls.ts";
import { PoolDialer, type PoolDialTerms } from "../pool/pool-dialer.ts";
import { MAX_DIALING, MAX_DIALING_UNSIZED, PoolRefill } from "../pool/pool-refill.ts";
import { dialledHost, type Route } from "../proxy/route.ts";
import type { CertificateCheckPlan } from "../session/certificate-check.ts";
import { Session, type SessionOwner, type SessionTerms } from "../session/session.ts";
import { cipherOrder } from "../tls/cipher-order.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { createHelloWriter } from "../wire/pool-hello.ts";
import { signalKey } from "../wire/proof.ts";
import { hasPorts, hasSizing, provedWay } from "./proved-way.ts";

export interface ClientSessionOptions {
  readonly context: TunnelContext;
  readonly settings: ClientSettings;
  readonly server: HostPort;
  readonly met: HandshakeResult;
  readonly route: Route;
  readonly serverName: string | undefined;
  readonly ca: string | readonly string[] | undefined;
  readonly carrier: Carrier;
  readonly owner: SessionOwner;
}

/** A client's session: the pool that it keeps filled, and the control connection. */
export class ClientSession {
  readonly session: Session;
  readonly #refill: PoolRefill;
  readonly #context: TunnelContext;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: ClientSessionOptions) {
    const { context, settings, met, route, owner } = options;
    this.#context = context;
    const { answer } = met;
    const role = answer.flow === "+" ? "entry" : "exit";
    const terms: SessionTerms = {
      flow: answer.flow,
      role,
      proved: met.proved,
      way: met.proved
        ? provedWay(met.answer.ext, met.answer.lanes)
        : { by: "claims", framed: false, check: checkPlan(answer.tls, role) },
      sizing: met.proved && hasSizing(met.answer.ext),
      ports: met.proved && hasPorts(met.answer.ext),
      max: answer.max,
      signalKey: met.proved ? signalKey(met.sessionKey) : settings.key,
      peer: formatHostPort(route.proxy?.to ?? { host: route.address, port: route.port }),
    };
    this.session = new Session(context, terms, {
      exit: owner.exit,
      onReady: (session) => owner.onReady(session),
      onAvailable: (session) => owner.onAvailable(session),
      onEnd: (session, reason) => {
        clearTimeout(this.#deadline);
        this.#refill.close();
        owner.onEnd(session, reason);
      },
    });
    const { session } = this;
    this.#refill = new PoolRefill({
      context,
      dialer: new PoolDialer(dialTerms(options)),
      pool: this.session,
      secure: speaksTls(options),
      // It may change while the session lasts.
      get min() {
        return context.settings.scheme === "client" ? context.settings.min : settings.min;
      },
      get max() {
        return session.max;
      },
      maxDialing: terms.sizing ? MAX_DIALING : MAX_DIALING_UNSIZED,
      onFatal: (error) => this.session.end(error.message),
      onControl: (stream, early) => {
        clearTimeout(this.#deadline);
        this.session.begin(stream, early);
      },
    });
    this.session.watcher = this.#refill;
    if (!met.proved && answer.tls === 2 && role === "exit") {
      context.log(
        "warn",
        "a NodePass 1.14 server with tls=2 never accepts users in reverse flow: its own certificate check fails",
      );
    }
  }

  start(): void {
    const { handshakeTimeoutMs } = this.#context.limits;
    this.#deadline = setTimeout(() => {
      this.session.end(`no control connection within ${handshakeTimeoutMs} ms`);
    }, handshakeTimeoutMs);
    this.#refill.start();
  }

  /** Dials no more and tells the server of the end, see `Session.retire`. */
  retire(reason: string): void {
    clearTimeout(this.#deadline);
    this.#refill.close();
    this.session.retire(reason);
  }

  tick(): void {
    this.#refill.tick();
  }
}

/** The 1.14 certificate check (docs/protocol.md, "Certificate check"). */
function checkPlan(tls: 0 | 1 | 2, role: "entry" | "exit"): CertificateCheckPlan | undefined {
  if (tls === 0) return undefined;
  return {
    // With tls 2 the client has verified chain and name; a 1.14 server can't take a `verify` then.
    send: tls === 1,
    wait: tls === 1 && role === "entry",
    fingerprintOf: (stream) => stream.peerFingerprint,
  };
}

function dialTerms(options: ClientSessionOptions): PoolDialTerms {
  const { context, settings, server, met, route, serverName, carrier } = options;
  return {
    carrier: carrier.dial({
      ...route,
      serverName,
      path: settings.path,
      tls: carrierTls(options),
      of114: !met.proved,
      reportIntervalMs: context.limits.reportIntervalMs,
      buffers: context.buffers,
      lingerer: context.lingerer,
      log: context.logLimited,
    }),
    timeoutMs: context.limits.tcpDialTimeoutMs,
    onUnreachable: () => context.names.failed(dialledHost(route, server)),
    hello: met.proved
      ? createHelloWriter(Buffer.from(met.answer.session, "hex"), met.sessionKey)
      : undefined,
    asksId: carrier.type === 1 || carrier.type === 3,
  };
}

/** TLS that ends in front of the server is what the client speaks, whatever the server has behind it. */
function frontOf({ settings, carrier }: ClientSessionOptions): 0 | 1 | 2 {
  // What stands in front of a server passes UDP on as it is.
  return carrier.type === 1 ? 0 : settings.front;
}

function speaksTls(options: ClientSessionOptions): boolean {
  return frontOf(options) !== 0 || options.met.answer.tls !== 0;
}

function carrierTls(options: ClientSessionOptions): CarrierTls | undefined {
  const { met, ca } = options;
  const front = frontOf(options);
  const tls = front === 0 ? met.answer.tls : front;
  if (tls === 0) return undefined;
  const trusted = ca === undefined ? undefined : [...nodeTls().rootCertificates, ...[ca].flat()];
  return {
    mode: tls,
    context: nodeTls().createSecureContext({
      // What stands in front of a server may know no more than 1.2.
      minVersion: front === 0 ? "TLSv1.3" : "TLSv1.2",
      ciphers: cipherOrder(),
      ...(trusted !== undefined && { ca: trusted }),
    }),
    ca: trusted,
    // The certificate of what stands in front is not the server's.
    pin: met.proved && tls === 1 && front === 0 ? met.answer.fp : undefined,
  };
}
