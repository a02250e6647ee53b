import type { FramedConnection } from "../framed/framed-connection.ts";
import { FramedRelay } from "../framed/framed-relay.ts";
import type { RelayOwner } from "../relay/relay-context.ts";
import type { Stream } from "../stream/stream-reader.ts";
import type { TargetDial, TargetWanted } from "../target/target-dialer.ts";
import type { TcpExit } from "./tcp-exit.ts";

/** A connection on a framed pool connection, of which the target is being dialled. */
export class FramedOpening implements TargetWanted, RelayOwner {
  readonly #exit: TcpExit;
  readonly #carrier: FramedConnection;
  readonly #remote: string;
  #dial: TargetDial | undefined;
  #done = false;

  constructor(exit: TcpExit, carrier: FramedConnection, remote: string) {
    this.#exit = exit;
    this.#carrier = carrier;
    this.#remote = remote;
  }

  start(): void {
    this.#carrier.onLostWhileOpening = () => this.#lost();
    this.#dial = this.#exit.dialer.dial(this);
  }

  onTarget(target: Stream, address: string, port: number): void {
    this.#done = true;
    const exit = this.#exit;
    const { context } = exit;
    const remote = this.#remote;
    const carrier = this.#carrier;
    carrier.onLostWhileOpening = undefined;
    const relay = new FramedRelay({
      context,
      local: target,
      carrier,
      header: exit.header(remote, address, port),
      owner: this,
    });
    carrier.start(relay);
    relay.begin();
    if (context.debugs) context.log("debug", "tcp connection opened", { remote });
  }

  onNoTarget(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#carrier.onLostWhileOpening = undefined;
    this.#exit.context.logLimited("error", error.message, { remote: this.#remote });
    this.#carrier.reset();
    this.#exit.release();
  }

  /** Only an entry looks at what its local side sends. */
  onBlocked(): void {}

  onFinished(): void {
    const { context } = this.#exit;
    this.#exit.release();
    if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.#remote });
  }

  #lost(): void {
    if (this.#done) return;
    this.#done = true;
    this.#dial?.cancel();
    this.#exit.release();
  }
}
