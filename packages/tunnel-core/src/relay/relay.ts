import type { ByteStream } from "../stream/byte-stream.ts";
import type { EarlyInput } from "../stream/early-reader.ts";
import { FirstBytes } from "./first-bytes.ts";
import type { BlockInspection, RelayContext, RelayOwner } from "./relay-context.ts";
import { RelayEnd } from "./relay-end.ts";
import type { IdleCheckable } from "./relay-registry.ts";

export interface RelayOptions {
  readonly context: RelayContext;
  /** The user (at the entry) or the target (at the exit). */
  readonly local: ByteStream;
  /** The conduit's stream; in single-end mode the target. */
  readonly remote: ByteStream;
  /** Written to the local stream first (PROXY protocol header, not counted). */
  readonly header?: string | undefined;
  readonly earlyLocal?: EarlyInput | undefined;
  readonly earlyRemote?: EarlyInput | undefined;
  /** Looks at what the local side sends first. */
  readonly inspection?: BlockInspection | undefined;
  /** Whose first byte is the answer, and since when it is waited for (`performance.now()`). */
  readonly answer: "local" | "remote";
  readonly askedAt: number;
  readonly owner: RelayOwner;
}

/** A TCP connection carried between two streams, from its start until both have closed. */
export class Relay implements IdleCheckable {
  active = true;
  idleSweeps = 0;
  /** Bytes read from the local side, and from the other for it. */
  receivedBytes = 0;
  sentBytes = 0;
  readonly context: RelayContext;
  readonly #local: RelayEnd;
  readonly #remote: RelayEnd;
  readonly #owner: RelayOwner;
  readonly #askedAt: number;
  #lasts = false;
  #finished = false;

  constructor(options: RelayOptions) {
    const { context, local, remote, earlyLocal, earlyRemote, inspection, answer } = options;
    this.context = context;
    this.#owner = options.owner;
    this.#askedAt = options.askedAt;
    this.#local = new RelayEnd(this, local, true, answer === "local");
    this.#remote = new RelayEnd(this, remote, false, answer === "remote");
    local.setReader(this.#local);
    remote.setReader(this.#remote);
    context.tcpRelays.add(this);
    const firstBytes =
      inspection &&
      new FirstBytes(inspection.detector(), inspection.holds, (held) => this.#local.passHeld(held));
    this.#local.begin(this.#remote, firstBytes);
    this.#remote.begin(this.#local);
    if (options.header !== undefined) local.write(Buffer.from(options.header, "latin1"));
    if (earlyLocal !== undefined) this.#local.takeEarly(earlyLocal);
    if (earlyRemote !== undefined) this.#remote.takeEarly(earlyRemote);
  }

  /** The local side speaks a blocked protocol. */
  blocked(): void {
    this.#owner.onBlocked();
    this.cut();
  }

  /** The first byte of the answer has come. */
  answered(): void {
    this.context.latencies.firstByte.observe(performance.now() - this.#askedAt);
  }

  limitsChanged(): void {
    const { inbound, outbound } = this.context;
    this.#local.setBucket(inbound);
    this.#remote.setBucket(outbound);
  }

  /** Most connections are over before it is worth the system calls. */
  lasts(): void {
    if (this.#lasts) return;
    this.#lasts = true;
    this.#local.stream.keepAlive?.();
    this.#remote.stream.keepAlive?.();
  }

  expire(): void {
    this.cut();
  }

  cut(): void {
    this.#local.stream.reset();
    this.#remote.stream.reset();
  }

  get finished(): boolean {
    return this.#finished;
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.context.tcpRelays.delete(this);
    this.#owner.onFinished(this);
  }
}
