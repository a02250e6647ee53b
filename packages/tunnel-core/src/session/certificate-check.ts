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
/** The peer's pings, one a report interval of its own, by which its `verify` must have come. */
const MAX_PINGS_WITHOUT = 4;
/** Closed connections of which is remembered what certificate they showed. */
const MAX_REMEMBERED = 1024;

/**
 * The `verify` round of NodePass 1.14 (docs/protocol.md, "Certificate check"): each end names a pool
 * connection and the fingerprint it knows; the other compares and closes that connection.
 */
export class CertificateCheck {
  readonly #options: CertificateCheckOptions;
  #offered: PoolConnection | undefined;
  #sent = false;
  #ticks = 0;
  /** Fingerprints that closed connections showed, by id, until the peer's `verify` has come. */
  readonly #shown = new Map<string, string>();
  #received = false;

  constructor(options: CertificateCheckOptions) {
    this.#options = options;
  }

  /** Sends our fingerprint as soon as the pool has a connection for it. */
  start(): void {
    const { plan } = this.#options;
    if (!plan.wait) this.#options.onPassed();
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

  /**
   * An idle connection has closed. A 1.14 node closes the one that its `verify` names itself, right
   * after it has sent the line, and the close often arrives before the line.
   */
  lost(connection: PoolConnection): void {
    const fp = this.#options.plan.fingerprintOf(connection.stream);
    if (this.#received || fp === undefined) return;
    this.#shown.set(connection.id, fp);
    if (this.#shown.size <= MAX_REMEMBERED) return;
    // The line follows its connection's close soon: the oldest goes.
    for (const oldest of this.#shown.keys()) {
      this.#shown.delete(oldest);
      return;
    }
  }

  /** The peer's `verify`. */
  received(id: string, fp: string): void {
    const { pool, plan, context } = this.#options;
    this.#received = true;
    const shown = this.#shown.get(id);
    this.#shown.clear();
    if (shown !== undefined) {
      this.#judge(shown, fp);
      return;
    }
    // Both ends may have picked the same connection.
    if (this.#offered?.id === id) {
      this.#compare(this.#offered, fp);
      return;
    }
    pool.claim({
      id,
      onConnection: (connection) => {
        if (connection !== undefined) {
          this.#compare(connection, fp);
          return;
        }
        context.log("warn", "verify signal for an unknown pool connection", { id });
        // Who waits for it would wait for ever: another session, another check.
        if (plan.wait) {
          this.#options.onFailed(`the peer's verify names an unknown pool connection, ${id}`);
        }
      },
    });
  }

  #compare(connection: PoolConnection, theirs: string): void {
    const ours = this.#options.plan.fingerprintOf(connection.stream);
    connection.stream.setReader(DETACHED_READER);
    connection.stream.destroy();
    this.#judge(ours, theirs);
  }

  #judge(ours: string | undefined, theirs: string): void {
    // A 1.14 server with tls=2 doesn't know its own certificate; users don't wait for it then.
    if (theirs === "" && !this.#options.plan.wait) return;
    const a = Buffer.from(ours ?? "");
    const b = Buffer.from(theirs);
    if (a.length !== b.length || !timingSafeEqual(a, b)) {
      this.#options.onFailed(
        `the peer's certificate fingerprint ${theirs} is not the one seen here, ${ours ?? "none"}`,
      );
      return;
    }
    this.#options.context.log("info", "certificate fingerprint verified", { fingerprint: theirs });
    this.#options.onPassed();
  }

  /**
   * Once per report interval.
   *
   * @param pings that have come from the peer: it sends its `verify` after its first interval
   */
  tick(pings: number): void {
    if (this.#options.plan.wait && !this.#received && pings >= MAX_PINGS_WITHOUT) {
      this.#options.onFailed(`no verify came from the peer in ${pings} of its report intervals`);
      return;
    }
    if (this.#offered !== undefined && ++this.#ticks >= CLOSE_AFTER_TICKS) this.close();
  }

  close(): void {
    this.#offered?.stream.destroy();
    this.#offered = undefined;
  }
}
