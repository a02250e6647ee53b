import { FramedConnection, type FramedOwner } from "../framed/framed-connection.ts";
import { ConnectionPool, type PoolMember } from "../pool/connection-pool.ts";
import type { Stream } from "../stream/stream-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { Signal, SignalEvent } from "../wire/signal.ts";
import { CertificateCheck, type CertificateCheckPlan } from "./certificate-check.ts";
import { ControlChannel } from "./control-channel.ts";

/** What the handshake agreed on. */
export interface SessionTerms {
  /** `-`: the server is the entry; `+`: the client is. */
  readonly flow: "-" | "+";
  readonly role: "entry" | "exit";
  /** The peer proved itself (a node of this project). */
  readonly proved: boolean;
  /** UDP datagrams are framed. */
  readonly framed: boolean;
  /** Most idle pool connections. */
  readonly max: number;
  /** Pool connections carry one connection after another. */
  readonly streams: boolean;
  /** Key of the signals. */
  readonly signalKey: string;
  /** The peer, for logs. */
  readonly peer: string;
  readonly check: CertificateCheckPlan | undefined;
}

export interface SessionHooks {
  /** The entry can take a connection from the pool. */
  onAvailable(session: Session): void;
  /** A pool connection has left the pool, used or lost: time to refill. */
  onTaken(session: Session, used: boolean): void;
  /** The entry's peer wants a connection relayed. */
  onOpen(session: Session, signal: Signal & { readonly action: "tcp" | "udp" }): void;
  /** Exit: the peer begins a connection on a framed pool connection. */
  onOpenTcp(connection: FramedConnection, remote: string): void;
  onOpenUdp(connection: FramedConnection, remote: string, early: Buffer | undefined): void;
  /** The session has begun to serve. */
  onReady(session: Session): void;
  /** The session is over; called once. */
  onEnd(session: Session, reason: string): void;
}

/** How many unknown actions of one session are logged. */
const MAX_UNKNOWN_LOGGED = 3;

/**
 * One meeting of two ends, from the control connection's opening until its loss.
 *
 * States: waiting for the control connection → checking certificates (1.14 peers with TLS only) →
 * ready → ended. Relays that run on its pool connections outlive it.
 */
export class Session {
  readonly terms: SessionTerms;
  readonly pool: ConnectionPool;
  readonly #context: TunnelContext;
  readonly #hooks: SessionHooks;
  #control: ControlChannel | undefined;
  #check: CertificateCheck | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ready = false;
  #ended = false;
  #unknownLogged = 0;

  constructor(context: TunnelContext, terms: SessionTerms, hooks: SessionHooks) {
    this.terms = terms;
    this.#context = context;
    this.#hooks = hooks;
    this.pool = new ConnectionPool({
      role: terms.role,
      claimTimeoutMs: context.limits.poolGetTimeoutMs,
      maxClaims: context.limits.semaphoreLimit,
      frame: terms.streams ? (stream, id) => this.#frame(stream, id) : undefined,
      onAvailable: () => this.#available(),
      onTaken: (used) => hooks.onTaken(this, used),
    });
  }

  #frame(stream: Stream, id: string): FramedConnection {
    this.#framedOwner ??= {
      role: this.terms.role,
      onOpenTcp: this.#hooks.onOpenTcp,
      onOpenUdp: this.#hooks.onOpenUdp,
      onReusable: (connection) => this.pool.put(connection),
      onGone: (connection) => this.pool.withdraw(connection),
      onViolation: (error) => {
        this.#context.logLimited("warn", "pool connection broke the rules of frames", {
          reason: error.message,
          peer: this.terms.peer,
        });
      },
    };
    return new FramedConnection(this.#context, stream, id, this.#framedOwner);
  }
  #framedOwner: FramedOwner | undefined;

  get ready(): boolean {
    return this.#ready;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get hasControl(): boolean {
    return this.#control !== undefined;
  }

  /** The control connection has come. */
  begin(stream: Stream, early: Buffer | undefined): void {
    if (this.#ended || this.#control !== undefined) {
      stream.destroy();
      return;
    }
    const { limits } = this.#context;
    this.#control = new ControlChannel({
      context: this.#context,
      key: this.terms.signalKey,
      proved: this.terms.proved,
      stream,
      early,
      onSignal: (signal) => this.#signal(signal),
      onLost: (reason) => this.end(reason),
    });
    this.#timer = setInterval(() => {
      this.#control?.tick();
      this.pool.sweepEnded();
      if (this.terms.streams && this.terms.role === "entry") this.pool.trim(this.terms.max);
      this.#check?.tick();
    }, limits.reportIntervalMs);
    this.#control.start();
    if (this.#ended) return;
    if (this.terms.check === undefined) {
      this.#becomeReady();
    } else {
      this.#check = new CertificateCheck({
        plan: this.terms.check,
        pool: this.pool,
        context: this.#context,
        send: (signal) => this.send(signal),
        onPassed: () => this.#becomeReady(),
        onFailed: (reason) => this.end(reason),
      });
      this.#check.start();
    }
  }

  #becomeReady(): void {
    if (this.#ready || this.#ended) return;
    this.#ready = true;
    this.#hooks.onReady(this);
    this.#hooks.onAvailable(this);
  }

  #available(): void {
    this.#check?.start();
    if (this.#ready) this.#hooks.onAvailable(this);
  }

  /** Entry: takes a pool connection for a new connection, if the session serves and has one. */
  take(): PoolMember | undefined {
    if (!this.#ready || this.#ended) return undefined;
    return this.pool.take();
  }

  send(signal: Signal): void {
    this.#control?.send(signal);
  }

  /** Asks the peer whether it is there. */
  probe(timeoutMs: number, callback: (alive: boolean) => void): void {
    if (this.#control === undefined) callback(!this.#ended);
    else this.#control.probe(timeoutMs, callback);
  }

  #signal(signal: SignalEvent): void {
    switch (signal.action) {
      case "tcp":
      case "udp":
        if (this.terms.role === "entry") {
          this.end(`the peer sent a ${signal.action} signal, which only the entry sends`);
          return;
        }
        this.#hooks.onOpen(this, { ...signal, action: signal.action });
        return;
      case "flush":
        this.#context.logLimited("info", "pool flushed by the peer");
        this.pool.flush();
        return;
      case "verify":
        if (this.#check !== undefined) this.#check.received(signal.id, signal.fp);
        else this.#context.logLimited("warn", "verify signal in a session without a check");
        return;
      case "unknown":
        if (this.#unknownLogged++ < MAX_UNKNOWN_LOGGED) {
          this.#context.log("warn", "unknown signal ignored", { action: signal.name });
        }
        return;
      case "ping":
      case "pong":
        return;
    }
  }

  /**
   * Tells the peer that the session is over. An exit of framed connections goes on serving what the
   * peer opens until it has heard of that and closed them; other sessions end at once.
   */
  retire(reason: string): void {
    if (this.terms.role === "entry" || !this.terms.streams) {
      this.end(reason);
      return;
    }
    this.#ready = false;
    this.#retired = true;
    clearInterval(this.#timer);
    this.#control?.close();
  }
  #retired = false;

  /** The peer has not closed all idle connections of a retired session yet. */
  get retiring(): boolean {
    return this.#retired && this.pool.size > 0;
  }

  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ready = false;
    clearInterval(this.#timer);
    this.#control?.close();
    this.#check?.close();
    this.pool.close();
    this.#hooks.onEnd(this, reason);
  }
}
