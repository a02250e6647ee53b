import { randomBytes } from "node:crypto";
import { type ListedSession, WRONG_PROOF } from "../listener/session-directory.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import { probeMs } from "../session/control-channel.ts";
import { Session, type SessionOwner, type SessionTerms } from "../session/session.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { HelloWindow } from "../wire/hello-window.ts";
import { type PoolHello, poolId, verifyHello } from "../wire/pool-hello.ts";
import { POOL_ID_BYTES } from "../wire/pool-id.ts";

/** Room in the pool for connections that are being taken at this moment. */
const UNDER_WAY = 512;

export interface ClientLinkOptions {
  readonly context: TunnelContext;
  readonly terms: SessionTerms;
  readonly owner: SessionOwner;
  /** IP address of the handshake, IPv4 unmapped. */
  readonly address: string;
  /** The place of this client among those that may be there, from 1. */
  readonly number: number;
  readonly load: PeerLoad | undefined;
  /** Proved sessions only: the session's id in hex digits, and its key. */
  readonly proved: { readonly id: string; readonly key: Buffer } | undefined;
}

/** A server's session with one client: which pool connections are its own. */
export class ClientLink implements ListedSession {
  readonly session: Session;
  readonly address: string;
  readonly number: number;
  readonly load: PeerLoad | undefined;
  readonly sizing: boolean;
  readonly #options: ClientLinkOptions;
  readonly #window = new HelloWindow();
  readonly #deadline: NodeJS.Timeout;

  constructor(options: ClientLinkOptions) {
    const { context, terms, owner } = options;
    this.#options = options;
    this.address = options.address;
    this.number = options.number;
    this.load = options.load;
    this.sizing = terms.sizing;
    this.session = new Session(context, terms, {
      exit: owner.exit,
      onReady: (session) => owner.onReady(session),
      onAvailable: (session) => owner.onAvailable(session),
      onEnd: (session, reason) => {
        clearTimeout(this.#deadline);
        owner.onEnd(session, reason);
      },
    });
    this.#deadline = setTimeout(() => {
      if (!this.session.hasControl) this.session.end("no control connection in time");
    }, context.limits.handshakeTimeoutMs);
  }

  get id(): string | undefined {
    return this.#options.proved?.id;
  }

  hello(stream: ByteStream, hello: PoolHello, early: Buffer | undefined): string | undefined {
    const { session } = this;
    const { proved } = this.#options;
    if (proved === undefined || session.ended) return "no session";
    if (!verifyHello(hello, proved.key)) return WRONG_PROOF;
    if (!this.#window.admit(hello.counter)) return "its hello was used before";
    if (hello.counter === 0) {
      clearTimeout(this.#deadline);
      session.begin(stream, early);
      return undefined;
    }
    // Those that the client has given to users count as idle here until that is heard of.
    if (session.poolSize >= session.max * 2 + UNDER_WAY) return "the pool is full";
    session.addPoolConnection(stream, poolId(hello.counter), early);
    return undefined;
  }

  /** A silent connection of a 1.14 client: it gets its id. */
  silent(stream: ByteStream): void {
    const { session } = this;
    if (session.ended) {
      stream.destroy();
      return;
    }
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
    stream.write(id);
    session.addPoolConnection(stream, id.toString("hex"));
  }

  isAlive(): Promise<boolean> {
    const { session } = this;
    // Before its first answer a client is as far away as the last one was.
    const timeoutMs = probeMs(session.ping || this.#options.context.counters.ping);
    return new Promise((resolve) => session.probe(timeoutMs, resolve));
  }

  /** Tells the client of the end, see `Session.retire`. */
  retire(reason: string): void {
    clearTimeout(this.#deadline);
    this.session.retire(reason);
  }

  end(reason: string): void {
    this.session.end(reason);
  }
}
