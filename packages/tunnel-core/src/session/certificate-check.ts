import { timingSafeEqual } from "node:crypto";
import type { ConnectionPool } from "../pool/connection-pool.ts";
import type { PoolConnection } from "../pool/pool-connection.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { Signal } from "../wire/signal.ts";

/** What to do in a session with a NodePass 1.14 peer and TLS. */
export interface CertificateCheckPlan {
  /** Tell the peer the fingerprint that we know. */
  readonly send: boolean;
  /** Serve users only after the peer's fingerprint matched. */
  readonly wait: boolean;
  /** The fingerprint that this end sees on a pool connection. */
  fingerprintOf(stream: ByteStream): string | undefined;
}

export interface CertificateCheckOptions {
  readonly plan: CertificateCheckPlan;
  readonly pool: ConnectionPool;
  readonly context: TunnelContext;
  send(signal: Signal): void;
  onPassed(): void;
  onFailed(reason: string): void;
}

/** Report intervals after which a connection that the peer should have closed is closed here. */
const CLOSE_AFTER_TICKS = 2;
/** Most closed connections whose certificates are remembered. */
const MAX_REMEMBERED = 1024;
/**
 * Report intervals that the peer's `verify` may take, and the least such interval, ms: a 1.14 node
 * sends it one interval of its own (5 s) after the session began.
 */
const WAIT_INTERVALS = 3;
const LEAST_INTERVAL_MS = 5000;

/**
 * The `verify` round of NodePass 1.14 (docs/protocol.md, "Certificate check"): each end names a pool
 * connection and the fingerprint it knows, and closes it; the other compares and closes it, too. That
 * close often arrives before the line, so what a closed connection showed is remembered.
 *
 * States: waiting for the peer's `verify` → passed, or failed, which ends the session.
 */
export class CertificateCheck {
  readonly #options: CertificateCheckOptions;
  #offered: PoolConnection | undefined;
  #sent = false;
  #ticks = 0;
  /** What closed connections showed, by id, until the peer's `verify` has come. */
  #closed: Map<string, string> | undefined = new Map();
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: CertificateCheckOptions) {
    this.#options = options;
  }

  /** Sends our fingerprint as soon as the pool has a connection for it. */
  start(): void {
    const { plan } = this.#options;
    if (!plan.wait) this.#options.onPassed();
    else if (this.#closed !== undefined) this.#deadline ??= this.#expect();
    if (!plan.send || this.#sent) return;
    const connection = this.#options.pool.take();
    if (connection === undefined) return;
    const fp = plan.fingerprintOf(connection.stream);
    if (fp === undefined) {
      connection.stream.destroy();
      this.#options.onFailed("a pool connection shows no certificate");
      return;
    }
    this.#sent = true;
    this.#offered = connection;
    this.#options.send({ action: "verify", id: connection.id, fp });
  }

  /** Without the peer's `verify` no user would ever be served: a new handshake may bring it. */
  #expect(): NodeJS.Timeout {
    const intervalMs = Math.max(LEAST_INTERVAL_MS, this.#options.context.limits.reportIntervalMs);
    const waitMs = WAIT_INTERVALS * intervalMs;
    return setTimeout(() => {
      this.#options.onFailed(`the peer sent no certificate fingerprint within ${waitMs} ms`);
    }, waitMs);
  }

  /** A pool connection has closed that no signal claimed: the peer's `verify` may name it yet. */
  remember({ id, stream }: PoolConnection): void {
    const closed = this.#closed;
    const fp = this.#options.plan.fingerprintOf(stream);
    if (closed === undefined || fp === undefined) return;
    closed.set(id, fp);
    if (closed.size <= MAX_REMEMBERED) return;
    for (const oldest of closed.keys()) {
      closed.delete(oldest);
      return;
    }
  }

  /** The peer's `verify`. */
  received(id: string, fp: string): void {
    const { pool, plan, context, onFailed } = this.#options;
    const shown = this.#closed?.get(id);
    if (shown !== undefined) {
      this.#compare(shown, fp);
      return;
    }
    // Both ends may have picked the same connection.
    if (this.#offered?.id === id) {
      this.#inspect(this.#offered, fp);
      return;
    }
    pool.claim({
      id,
      onConnection: (connection) => {
        if (connection !== undefined) this.#inspect(connection, fp);
        else if (plan.wait && this.#closed !== undefined)
          onFailed(`the peer's verify names the unknown pool connection ${id}`);
        else context.log("warn", "verify signal for an unknown pool connection", { id });
      },
    });
  }

  #inspect(connection: PoolConnection, theirs: string): void {
    const shown = this.#options.plan.fingerprintOf(connection.stream);
    connection.stream.setReader(DETACHED_READER);
    connection.stream.destroy();
    this.#compare(shown ?? "", theirs);
  }

  #compare(ours: string, theirs: string): void {
    this.#closed = undefined;
    clearTimeout(this.#deadline);
    // A 1.14 server with tls=2 doesn't know its own certificate; users don't wait for it then.
    if (theirs === "" && !this.#options.plan.wait) return;
    const a = Buffer.from(ours);
    const b = Buffer.from(theirs);
    if (a.length !== b.length || !timingSafeEqual(a, b)) {
      this.#options.onFailed(
        `the peer's certificate fingerprint ${theirs} is not the one seen here, ${ours || "none"}`,
      );
      return;
    }
    this.#options.context.log("info", "certificate fingerprint verified", { fingerprint: theirs });
    this.#options.onPassed();
  }

  /** Once per report interval. */
  tick(): void {
    if (this.#offered !== undefined && ++this.#ticks >= CLOSE_AFTER_TICKS) this.#closeOffered();
  }

  close(): void {
    clearTimeout(this.#deadline);
    this.#closed = undefined;
    this.#closeOffered();
  }

  #closeOffered(): void {
    this.#offered?.stream.destroy();
    this.#offered = undefined;
  }
}
