import type { Offences } from "../access/bans.ts";
import type { PoolGate } from "../pool/pool-greeter.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { unmapAddress } from "../wire/endpoint.ts";
import type { PoolHello } from "../wire/pool-hello.ts";

/** Why a session refuses a hello whose proof is not right. */
export const WRONG_PROOF = "wrong proof";

/** A stream that is silent for this long, ms, may be a 1.14 client's pool connection. */
const SILENCE_MS = 10;
/** The same where the address has other clients, too, whose hellos may be on the way. */
const BESIDE_OTHERS_MS = 250;

/** A session at a tunnel port, as its pool connections find it. */
export interface ListedSession {
  /** Hex digits; `undefined` for a NodePass 1.14 client, whose connections say nothing. */
  readonly id: string | undefined;
  /** IP address of the client's handshake, IPv4 unmapped. */
  readonly address: string;
  /** Many connections of its address can be in the making. */
  readonly sizing: boolean;
  /** A hello with its id, not yet verified. @returns why it is refused */
  hello(stream: ByteStream, hello: PoolHello, early: Buffer | undefined): string | undefined;
  /** A silent connection from its address, of a 1.14 client. */
  silent(stream: ByteStream): void;
  /** Asks the client whether it is there. */
  isAlive(): Promise<boolean>;
  end(reason: string): void;
}

/**
 * The sessions of all tunnels on one port: a pool connection finds its own by the id in its hello, one
 * of NodePass 1.14 by its address, in the same time however many there are.
 */
export class SessionDirectory implements PoolGate {
  readonly #context: Pick<TunnelContext, "logLimited"> & Offences;
  readonly #byId = new Map<string, ListedSession>();
  readonly #byAddress = new Map<string, ListedSession>();
  /** Proved sessions by address, and those of them with `sizing`. */
  readonly #proved = new Map<string, number>();
  readonly #sized = new Map<string, number>();

  constructor(context: Pick<TunnelContext, "logLimited"> & Offences) {
    this.#context = context;
  }

  /** Sessions at the port. */
  get size(): number {
    return this.#byId.size + this.#byAddress.size;
  }

  add(session: ListedSession): void {
    const { id, address } = session;
    if (id === undefined) {
      this.#byAddress.set(address, session);
      return;
    }
    this.#byId.set(id, session);
    add(this.#proved, address, 1);
    if (session.sizing) add(this.#sized, address, 1);
  }

  delete(session: ListedSession): void {
    const { id, address } = session;
    if (id === undefined) {
      if (this.#byAddress.get(address) === session) this.#byAddress.delete(address);
      return;
    }
    if (!this.#byId.delete(id)) return;
    add(this.#proved, address, -1);
    if (session.sizing) add(this.#sized, address, -1);
  }

  /** The 1.14 client's session of an address: there can be one, its connections say nothing. */
  at(address: string): ListedSession | undefined {
    return this.#byAddress.get(unmapAddress(address));
  }

  /** Whether a client with this address is there. */
  isPresent(address: string): boolean {
    return this.#proved.has(unmapAddress(address)) || this.at(address) !== undefined;
  }

  expectsMany(address: string): boolean {
    return this.#sized.has(unmapAddress(address));
  }

  hello(stream: ByteStream, hello: PoolHello, early: Buffer | undefined): boolean {
    const session = this.#byId.get(hello.session);
    const none = this.#byId.size === 0 ? "no session" : "not of the present session";
    const why = session === undefined ? none : session.hello(stream, hello, early);
    if (why === undefined) return true;
    if (why === WRONG_PROOF) this.#context.offended(stream.remoteAddress ?? "", "proof");
    this.#context.logLimited("warn", `pool connection refused: ${why}`, {
      address: stream.remoteAddress ?? "",
    });
    return false;
  }

  silenceMs(address: string): number {
    if (this.at(address) === undefined) return 0;
    return this.#proved.has(unmapAddress(address)) ? BESIDE_OTHERS_MS : SILENCE_MS;
  }

  silent(stream: ByteStream, address: string): void {
    const session = this.at(address);
    if (session === undefined) stream.destroy();
    else session.silent(stream);
  }
}

function add(counts: Map<string, number>, address: string, more: number): void {
  const count = (counts.get(address) ?? 0) + more;
  if (count > 0) counts.set(address, count);
  else counts.delete(address);
}
