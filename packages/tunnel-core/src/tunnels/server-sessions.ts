import { randomBytes } from "node:crypto";
import type { ServerSettings } from "@nodepass/url-config";
import type { Applicant } from "../handshake/handshake-server.ts";
import type { PoolGate } from "../pool/pool-greeter.ts";
import { Session, type SessionOwner } from "../session/session.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { CertificateSource } from "../tls/certificate-source.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { unmapAddress } from "../wire/endpoint.ts";
import { EXTENSIONS, LANES, negotiateExtensions } from "../wire/extensions.ts";
import type { HandshakeAnswer } from "../wire/handshake-answer.ts";
import { HelloWindow } from "../wire/hello-window.ts";
import { type PoolHello, poolId, verifyHello } from "../wire/pool-hello.ts";
import { POOL_ID_BYTES } from "../wire/pool-id.ts";
import { newSessionId, type ProofKeys, sessionKey, signalKey } from "../wire/proof.ts";
import type { ProvedAnswer } from "../wire/proved-answer.ts";
import { hasPorts, hasSizing, provedWay } from "./proved-way.ts";

/** How long a client of the present session has to show that it is alive, ms, before another one takes over. */
const PROBE_MS = 300;
/** The same where its round trip is not known yet, ms. */
const FIRST_PROBE_MS = 1500;
/** The same where it is long: so many round trips. */
const PROBE_ROUND_TRIPS = 3;
/** Room in the pool for connections that are being taken at this moment. */
const UNDER_WAY = 512;

export interface ServerSessionsOptions {
  readonly context: TunnelContext;
  readonly settings: ServerSettings;
  readonly keys: ProofKeys;
  readonly flow: "-" | "+";
  readonly certificate: CertificateSource | undefined;
  readonly owner: SessionOwner;
}

/** The present session and what admits pool connections to it. */
interface Present {
  readonly session: Session;
  readonly address: string;
  /** Proved sessions only. */
  readonly proved:
    | {
        readonly client: string;
        readonly id: string;
        readonly key: Buffer;
        readonly window: HelloWindow;
      }
    | undefined;
}

/** A server's sessions: one at a time, taken over by the client that comes back. */
export class ServerSessions implements PoolGate {
  readonly #options: ServerSessionsOptions;
  #present: Present | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #admitting: Promise<unknown> = Promise.resolve();

  constructor(options: ServerSessionsOptions) {
    this.#options = options;
  }

  get session(): Session | undefined {
    return this.#present?.session;
  }

  /** Begins a session for a client that has shown who it is, one at a time. */
  admit(applicant: Applicant): Promise<HandshakeAnswer | ProvedAnswer | string> {
    const admitted = this.#admitting.then(() => this.#admit(applicant));
    this.#admitting = admitted.catch(() => {});
    return admitted;
  }

  async #admit(applicant: Applicant): Promise<HandshakeAnswer | ProvedAnswer | string> {
    const { context } = this.#options;
    const present = this.#present;
    const { proved } = applicant;
    if (present !== undefined && !present.session.ended) {
      const same = proved !== undefined && present.proved?.client === proved.client;
      if (!same && (await this.#isAlive(present.session))) {
        context.logLimited("warn", "handshake refused: another client has the tunnel", {
          address: applicant.address,
          present: present.address,
        });
        return "another client has the tunnel";
      }
      present.session.end(`taken over by ${applicant.address}`);
    }
    return proved === undefined ? this.#begin114(applicant) : this.#beginProved(applicant, proved);
  }

  #begin114(applicant: Applicant): HandshakeAnswer {
    const { context, settings, flow, certificate, owner } = this.#options;
    const role = flow === "-" ? "entry" : "exit";
    const session = new Session(
      context,
      {
        flow,
        role,
        proved: false,
        way: {
          by: "claims",
          framed: false,
          check:
            certificate === undefined || settings.tls === 0
              ? undefined
              : {
                  send: true,
                  wait: role === "entry",
                  fingerprintOf: (stream) => stream.ownFingerprint,
                },
        },
        sizing: false,
        max: settings.max,
        signalKey: settings.key,
        peer: applicant.address,
      },
      owner,
    );
    this.#install({ session, address: unmapAddress(applicant.address), proved: undefined });
    context.log("info", "client accepted by token (NodePass 1.14)", { peer: applicant.address });
    return this.#answer();
  }

  #beginProved(applicant: Applicant, proved: NonNullable<Applicant["proved"]>): ProvedAnswer {
    const { context, keys, flow, certificate, owner } = this.#options;
    const sessionId = newSessionId();
    const { clientNonce, serverNonce } = proved;
    const key = sessionKey(keys, { clientNonce, serverNonce, sessionId });
    const { lanes } = this.#options.settings;
    const supported = lanes > 0 ? EXTENSIONS : EXTENSIONS.filter((name) => name !== LANES);
    const ext = negotiateExtensions(proved.offered, supported);
    const session = new Session(
      context,
      {
        flow,
        role: flow === "-" ? "entry" : "exit",
        proved: true,
        way: provedWay(ext, lanes),
        sizing: hasSizing(ext),
        ports: hasPorts(ext),
        max: this.#options.settings.max,
        signalKey: signalKey(key),
        peer: applicant.address,
      },
      owner,
    );
    const id = sessionId.toString("hex");
    this.#install({
      session,
      address: unmapAddress(applicant.address),
      proved: { client: proved.client, id, key, window: new HelloWindow() },
    });
    context.log("info", "client accepted by proof", { peer: applicant.address });
    const fp = this.#options.settings.tls === 0 ? "" : (certificate?.current().fingerprint ?? "");
    return { ...this.#answer(), session: id, fp, ext, lanes };
  }

  #answer(): HandshakeAnswer {
    const { settings, flow } = this.#options;
    return { flow, max: settings.max, tls: settings.tls, type: settings.type };
  }

  #install(present: Present): void {
    clearTimeout(this.#deadline);
    this.#present = present;
    const { handshakeTimeoutMs } = this.#options.context.limits;
    this.#deadline = setTimeout(() => {
      if (!present.session.hasControl) present.session.end("no control connection in time");
    }, handshakeTimeoutMs);
  }

  /** A pool connection that says hello. @returns whether it belongs to the present session */
  hello(stream: ByteStream, hello: PoolHello, early: Buffer | undefined): boolean {
    const { context } = this.#options;
    const present = this.#present;
    const proved = present?.proved;
    const refuse = (why: string): boolean => {
      context.logLimited("warn", `pool connection refused: ${why}`, {
        address: stream.remoteAddress ?? "",
      });
      return false;
    };
    if (present === undefined || proved === undefined || present.session.ended) {
      return refuse("no session");
    }
    if (hello.session !== proved.id) return refuse("not of the present session");
    if (!verifyHello(hello, proved.key)) {
      context.peerGate?.offended(stream.remoteAddress ?? "", "proof");
      return refuse("wrong proof");
    }
    if (!proved.window.admit(hello.counter)) return refuse("its hello was used before");
    if (hello.counter === 0) {
      clearTimeout(this.#deadline);
      present.session.begin(stream, early);
      return true;
    }
    // Those that the client has given to users count as idle here until that is heard of.
    if (present.session.poolSize >= present.session.max * 2 + UNDER_WAY) {
      return refuse("the pool is full");
    }
    present.session.addPoolConnection(stream, poolId(hello.counter), early);
    return true;
  }

  /** Whether many connections of one address can be the present client's, for users who wait. */
  expectsMany(address: string): boolean {
    const present = this.#present;
    if (present === undefined || present.session.ended) return false;
    return present.session.terms.sizing && present.address === unmapAddress(address);
  }

  /** Whether a silent connection from this address is a 1.14 client's pool connection. */
  expectsSilent(address: string): boolean {
    const present = this.#present;
    if (present === undefined || present.proved !== undefined || present.session.ended)
      return false;
    return present.address === unmapAddress(address);
  }

  /** A silent connection of a 1.14 client: it gets its id. */
  silent(stream: ByteStream): void {
    const present = this.#present;
    if (present === undefined || present.session.ended) {
      stream.destroy();
      return;
    }
    const { session } = present;
    if (!session.hasControl) {
      clearTimeout(this.#deadline);
      stream.write(Buffer.alloc(POOL_ID_BYTES));
      session.begin(stream, undefined);
      return;
    }
    if (session.poolSize >= session.max) {
      stream.reset();
      return;
    }
    let id = randomBytes(POOL_ID_BYTES);
    while (id.readUInt32BE() === 0 || session.hasPoolConnection(id.toString("hex")))
      id = randomBytes(POOL_ID_BYTES);
    const name = id.toString("hex");
    stream.write(id);
    session.addPoolConnection(stream, name);
  }

  /** Tells the client of the end, see `Session.retire`. */
  retire(reason: string): void {
    clearTimeout(this.#deadline);
    this.#present?.session.retire(reason);
  }

  close(reason: string): void {
    clearTimeout(this.#deadline);
    this.#present?.session.end(reason);
  }

  #isAlive(session: Session): Promise<boolean> {
    const { ping } = this.#options.context.counters;
    const timeoutMs = ping === 0 ? FIRST_PROBE_MS : Math.max(PROBE_MS, PROBE_ROUND_TRIPS * ping);
    return new Promise((resolve) => session.probe(timeoutMs, resolve));
  }
}
