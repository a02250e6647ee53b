import { createSecureContext, rootCertificates } from "node:tls";
import type { ClientSettings } from "@nodepass/url-config";
import type { HandshakeResult } from "../handshake/handshake-client.ts";
import { PoolDialer, type PoolDialTerms } from "../pool/pool-dialer.ts";
import { PoolRefill } from "../pool/pool-refill.ts";
import type { CertificateCheckPlan } from "../session/certificate-check.ts";
import { Session, type SessionHooks, type SessionTerms } from "../session/session.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { DATAGRAMS, STREAMS } from "../wire/extensions.ts";
import { createHelloWriter } from "../wire/pool-hello.ts";
import { signalKey } from "../wire/proof.ts";

export interface ClientSessionOptions {
  readonly context: TunnelContext;
  readonly settings: ClientSettings;
  readonly met: HandshakeResult;
  readonly address: string;
  readonly port: number;
  readonly serverName: string | undefined;
  readonly ca: string | readonly string[] | undefined;
  readonly hooks: SessionHooks;
}

/** A client's session: the pool that it keeps filled, and the control connection. */
export class ClientSession {
  readonly session: Session;
  readonly #refill: PoolRefill;
  readonly #context: TunnelContext;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: ClientSessionOptions) {
    const { context, settings, met, hooks } = options;
    this.#context = context;
    const { answer } = met;
    const role = answer.flow === "+" ? "entry" : "exit";
    const terms: SessionTerms = {
      flow: answer.flow,
      role,
      proved: met.proved,
      framed: met.proved && met.answer.ext.includes(DATAGRAMS),
      streams: met.proved && met.answer.ext.includes(STREAMS),
      max: answer.max,
      signalKey: met.proved ? signalKey(met.sessionKey) : settings.key,
      peer: `${options.address}:${options.port}`,
      check: met.proved ? undefined : checkPlan(answer.tls, role),
    };
    this.session = new Session(context, terms, {
      ...hooks,
      onTaken: (session, used) => {
        if (used) this.#refill.taken();
        else this.#refill.lost();
        hooks.onTaken(session, used);
      },
      onEnd: (session, reason) => {
        clearTimeout(this.#deadline);
        this.#refill.close();
        hooks.onEnd(session, reason);
      },
    });
    this.#refill = new PoolRefill({
      context,
      dialer: new PoolDialer(context, dialTerms(options)),
      pool: this.session.pool,
      min: settings.min,
      max: answer.max,
      onFatal: (error) => this.session.end(error.message),
      onControl: (stream, early) => {
        clearTimeout(this.#deadline);
        this.session.begin(stream, early);
      },
    });
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
  const { met, address, port, serverName, ca } = options;
  const { tls } = met.answer;
  return {
    address,
    port,
    tls:
      tls === 0
        ? undefined
        : {
            mode: tls,
            serverName,
            context: createSecureContext({
              minVersion: "TLSv1.3",
              ...(ca !== undefined && { ca: [...rootCertificates, ...[ca].flat()] }),
            }),
            pin: met.proved && tls === 1 ? met.answer.fp : undefined,
          },
    onUnreachable: () => options.context.names.failed(options.settings.tunnel.host),
    hello: met.proved
      ? createHelloWriter(Buffer.from(met.answer.session, "hex"), met.sessionKey)
      : undefined,
  };
}
