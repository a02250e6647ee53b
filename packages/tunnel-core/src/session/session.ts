import { ClaimedConduits } from "../conduit/claimed-conduits.ts";
import type { Conduit, ConduitKind, Conduits, Exit, PoolWatcher } from "../conduit/conduit.ts";
import { FramedConduits } from "../conduit/framed-conduits.ts";
import { ConnectionPool } from "../pool/connection-pool.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { MAX_COUNT, type Signal, type SignalEvent } from "../wire/signal.ts";
import { CertificateCheck, type CertificateCheckPlan } from "./certificate-check.ts";
import { ControlChannel } from "./control-channel.ts";

/** How a session's users go over its pool connections. */
export type SessionWay =
  /** One after another on each, in frames, or many at once on so many lanes. */
  | { readonly by: "frames"; readonly lanes: number }
  /** Each on one of his own, that a signal names (NodePass 1.14). */
  | {
      readonly by: "claims";
      /** Datagrams have their length before them. */
      readonly framed: boolean;
      /** 1.14 peers with TLS. */
      readonly check: CertificateCheckPlan | undefined;
    };

/** What the handshake agreed on. */
export interface SessionTerms {
  /** `-`: the server is the entry; `+`: the client is. */
  readonly flow: "-" | "+";
  readonly role: "entry" | "exit";
  /** The peer proved itself (a node of this project). */
  readonly proved: boolean;
  readonly way: SessionWay;
  /** The ends tell each other how many pool connections are needed (`sizing`). */
  readonly sizing: boolean;
  /** The peer can be told which port of a range a user came to (`ports`). @default false */
  readonly ports?: boolean | undefined;
  /** Most idle pool connections, as the session begins. */
  readonly max: number;
  /** Key of the signals. */
  readonly signalKey: string;
  /** The peer, for logs. */
  readonly peer: string;
}

/** Whom a session serves. */
export interface SessionOwner {
  /** The end that dials the targets, if it is this one. */
  readonly exit: Exit | undefined;
  /** The session has begun to serve. */
  onReady(session: Session): void;
  /** Entry: it can open a conduit (again). */
  onAvailable(session: Session): void;
  /** The session is over; called once. */
  onEnd(session: Session, reason: string): void;
}

/** How many unknown actions of one session are logged. */
const MAX_UNKNOWN_LOGGED = 3;

/**
 * One meeting of two ends, from the control connection's opening until its loss.
 *
 * States: `waiting` for the control connection → `checking` certificates (1.14 peers with TLS only)
 * → `ready` → `retired` (this end closes: nothing new of its own) → `ended`. Relays that run on its
 * pool connections outlive it.
 */
export class Session {
  readonly terms: SessionTerms;
  /** Who keeps the pool full, at the client. */
  watcher: PoolWatcher | undefined;
  readonly #context: TunnelContext;
  readonly #owner: SessionOwner;
  readonly #conduits: Conduits;
  readonly #check: CertificateCheck | undefined;
  #control: ControlChannel | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: "waiting" | "checking" | "ready" | "retired" | "ended" = "waiting";
  #unknownLogged = 0;
  #max: number;
  /** Pool connections that have come. */
  #arrived = 0;
  /** Most pool connections that were wanted, and most that the peer has been told of. */
  #wanted = 0;
  #told = 0;
  readonly #tell = (): void => {
    this.#told = this.#wanted;
    this.#send({ action: "need", count: this.#wanted });
  };

  constructor(context: TunnelContext, terms: SessionTerms, owner: SessionOwner) {
    this.terms = terms;
    this.#max = terms.max;
    this.#context = context;
    this.#owner = owner;
    const { role, way } = terms;
    const { exit } = owner;
    const onAvailable = (): void => this.#available();
    const onTaken = (used: boolean): void => {
      if (used) this.watcher?.taken();
      else this.watcher?.lost();
    };
    const common = { role, exit, onAvailable, onTaken };
    if (way.by === "frames") {
      this.#conduits = new FramedConduits({
        ...common,
        flushes: context.flushes,
        lingerer: context.lingerer,
        laneCount: way.lanes,
        datagrams: {
          waiting: context.waitingDatagrams,
          onDropped: (datagrams) => {
            context.counters.udpDropped += datagrams;
          },
        },
        onViolation: (error) => {
          context.logLimited("warn", "pool connection broke the rules of frames", {
            reason: error.message,
            peer: terms.peer,
          });
        },
      });
      return;
    }
    const { poolGetTimeoutMs, semaphoreLimit } = context.limits;
    const pool = new ConnectionPool({
      role,
      claimTimeoutMs: poolGetTimeoutMs,
      maxClaims: semaphoreLimit,
      onAvailable,
      onTaken,
      onLost: (connection) => this.#check?.lost(connection),
    });
    const send = (signal: Signal): void => this.#send(signal);
    this.#conduits = new ClaimedConduits({ ...common, pool, framed: way.framed, send });
    if (way.check === undefined) return;
    this.#check = new CertificateCheck({
      plan: way.check,
      pool,
      context,
      send,
      onPassed: () => this.#becomeReady(),
      onFailed: (reason) => this.end(reason),
    });
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  get hasControl(): boolean {
    return this.#control !== undefined;
  }

  /** Most idle pool connections now. */
  get max(): number {
    return this.#max;
  }

  /** Idle pool connections. */
  get poolSize(): number {
    return this.#conduits.size;
  }

  /** Last round trip, ms; 0 while none is known. */
  get ping(): number {
    return this.#control?.roundTrip ?? 0;
  }

  /** Whether the peer has answered its last ping, or still may. @param now `performance.now()` */
  answers(now: number): boolean {
    return this.#control?.answers(now) ?? false;
  }

  /** Whether an idle pool connection has this id. */
  hasPoolConnection(id: string): boolean {
    return this.#conduits.has(id);
  }

  /** A pool connection has come. */
  addPoolConnection(stream: ByteStream, id: string, early?: Buffer): void {
    this.#arrived++;
    this.#conduits.add(stream, id, early);
  }

  #send(signal: Signal): void {
    this.#control?.send(signal);
  }

  /**
   * Entry: so many users wait. Who makes the pool connections is told once a turn of the loop, with
   * a number that says the same however late it is read: those that came, and one for each who waits.
   */
  want(waiting: number): void {
    const { way } = this.terms;
    // One lane serves all who wait.
    const shared = way.by === "frames" && way.lanes > 0;
    const total = this.#arrived + (shared ? Math.min(1, waiting) : waiting);
    if (total <= this.#wanted) return;
    const pending = this.#wanted > this.#told;
    this.#wanted = Math.min(total, MAX_COUNT);
    if (this.watcher !== undefined) this.watcher.needed(total);
    else if (this.terms.sizing && !pending) setImmediate(this.#tell);
  }

  /** Client: closes idle pool connections over `most`, or has the entry do it, which takes them. */
  keep(most: number): void {
    if (this.terms.role === "entry") this.#conduits.trim(most);
    else if (this.terms.sizing) this.#send({ action: "keep", count: most });
  }

  /** The control connection has come. */
  begin(stream: ByteStream, early: Buffer | undefined): void {
    if (this.#state !== "waiting") {
      stream.destroy();
      return;
    }
    this.#state = "checking";
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
      if (this.ended) return;
      this.#tellMax();
      this.#conduits.tick(this.#max, this.#control?.heard === true);
      this.#check?.tick(this.#control?.pings ?? 0);
    }, this.#context.limits.reportIntervalMs);
    this.#control.start();
    if (this.ended) return;
    if (this.#check === undefined) this.#becomeReady();
    else this.#check.start();
  }

  /** Server: `max` may have changed. A client without `sizing` keeps to what the handshake said. */
  #tellMax(): void {
    const { settings } = this.#context;
    if (settings.scheme !== "server" || !this.terms.sizing || settings.max === this.#max) return;
    this.#max = settings.max;
    this.#send({ action: "max", count: this.#max });
  }

  #becomeReady(): void {
    if (this.#state !== "checking") return;
    this.#state = "ready";
    this.#owner.onReady(this);
    this.#owner.onAvailable(this);
  }

  #available(): void {
    // An exit serves at once, and sends its `verify` when there is a connection for it.
    this.#check?.start();
    if (this.#state === "ready") this.#owner.onAvailable(this);
  }

  /** Entry: a conduit for a user, if the session serves and a pool connection is ready. */
  open(kind: ConduitKind, remote: string): Conduit | undefined {
    return this.#state === "ready" ? this.#conduits.open(kind, remote) : undefined;
  }

  /** Asks the peer whether it is there. */
  probe(timeoutMs: number, callback: (alive: boolean) => void): void {
    if (this.#control === undefined) callback(!this.ended);
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
        this.#conduits.signalled(signal.action, signal.id, signal.remote);
        return;
      case "flush":
        this.#context.logLimited("info", "pool flushed by the peer");
        this.#conduits.flush();
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
      case "need":
        if (this.watcher !== undefined && this.terms.sizing) this.watcher.needed(signal.count);
        return;
      case "keep":
        if (this.watcher === undefined && this.terms.sizing) this.#conduits.trim(signal.count);
        return;
      case "max":
        if (this.watcher !== undefined && this.terms.sizing) this.#max = signal.count;
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
    if (this.terms.role === "entry" || this.terms.way.by !== "frames") {
      this.end(reason);
      return;
    }
    if (this.ended) return;
    this.#state = "retired";
    clearInterval(this.#timer);
    this.#control?.close();
  }

  /** The peer has not closed all idle connections of a retired session yet. */
  get retiring(): boolean {
    return this.#state === "retired" && this.#conduits.unused > 0;
  }

  end(reason: string): void {
    if (this.ended) return;
    this.#state = "ended";
    clearInterval(this.#timer);
    this.#control?.close();
    this.#check?.close();
    this.#conduits.close();
    this.#owner.onEnd(this, reason);
  }
}
