import type { EarlyInput } from "../stream/early-reader.ts";
import { resetStream, type Stream, setReader } from "../stream/stream-reader.ts";
import { FirstBytes } from "./first-bytes.ts";
import type { BlockInspection, RelayContext, RelayOwner } from "./relay-context.ts";
import { RelayEnd } from "./relay-end.ts";
import type { IdleCheckable } from "./relay-registry.ts";

export interface TcpRelayOptions {
  readonly context: RelayContext;
  /** The user (at the entry) or the target (at the exit). */
  readonly local: Stream;
  /** The pool connection; in single-end mode the target. */
  readonly remote: Stream;
  /** Written to the local stream first (PROXY protocol header, not counted). */
  readonly header?: string | undefined;
  readonly earlyLocal?: EarlyInput | undefined;
  readonly earlyRemote?: EarlyInput | undefined;
  /** Looks at what the local side sends first. */
  readonly inspection?: BlockInspection | undefined;
  readonly owner: RelayOwner;
}

/** A TCP connection carried between two streams, from its start until both have closed. */
export class TcpRelay implements IdleCheckable {
  active = true;
  idleSweeps = 0;
  readonly context: RelayContext;
  readonly #local: RelayEnd;
  readonly #remote: RelayEnd;
  readonly #owner: RelayOwner;
  #finished = false;

  constructor(options: TcpRelayOptions) {
    const { context, local, remote, earlyLocal, earlyRemote, inspection } = options;
    this.context = context;
    this.#owner = options.owner;
    this.#local = new RelayEnd(this, local, true);
    this.#remote = new RelayEnd(this, remote, false);
    setReader(local, this.#local);
    setReader(remote, this.#remote);
    context.tcpRelays.add(this);
    const firstBytes =
      inspection &&
      new FirstBytes(inspection.detector(), inspection.holds, (held) => this.#local.passHeld(held));
    this.#local.begin(this.#remote, firstBytes);
    this.#remote.begin(this.#local);
    if (options.header !== undefined) local.write(options.header, "latin1");
    if (earlyLocal !== undefined) takeEarly(this.#local, earlyLocal);
    if (earlyRemote !== undefined) takeEarly(this.#remote, earlyRemote);
  }

  /** The local side speaks a blocked protocol. */
  blocked(): void {
    this.#owner.onBlocked();
    this.cut();
  }

  expire(): void {
    this.cut();
  }

  cut(): void {
    resetStream(this.#local.stream);
    resetStream(this.#remote.stream);
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#local.release();
    this.#remote.release();
    this.context.tcpRelays.delete(this);
    this.#owner.onFinished();
  }
}

function takeEarly(end: RelayEnd, early: EarlyInput): void {
  let go = true;
  if (early.bytes !== undefined) go = end.onBytes(early.bytes, early.bytes.length, true);
  if (early.ended) end.onEnd();
  else if (go) end.stream.resume();
}
