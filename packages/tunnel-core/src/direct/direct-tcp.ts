import type { Socket } from "node:net";
import type { RelayOwner } from "../relay/relay-context.ts";
import { TcpRelay } from "../relay/tcp-relay.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { adoptSocket, resetStream, type Stream, setReader } from "../stream/stream-reader.ts";
import type { TargetDial, TargetDialer, TargetWanted } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { proxyHeader } from "../wire/proxy-header.ts";

/** Forwards accepted connections to the target, without a tunnel between. */
export class DirectTcp {
  readonly context: TunnelContext;
  readonly dialer: TargetDialer;

  constructor(context: TunnelContext, dialer: TargetDialer) {
    this.context = context;
    this.dialer = dialer;
  }

  accept(socket: Socket): void {
    const { context } = this;
    const stream = adoptSocket(socket, socket, DETACHED_READER, context.buffers);
    if (!context.slots.take()) {
      context.logLimited("warn", "connection refused: all slots are taken", {
        slot: context.settings.slot,
      });
      resetStream(stream);
      return;
    }
    context.counters.tcps++;
    const user = new DirectUser(this, stream);
    setReader(stream, user);
    user.start();
  }

  release(): void {
    this.context.counters.tcps--;
    this.context.slots.release();
  }
}

/** A user's connection while its target is dialled; what it sends is kept meanwhile. */
class DirectUser extends EarlyReader implements TargetWanted, RelayOwner {
  readonly #direct: DirectTcp;
  readonly #stream: Stream;
  #dial: TargetDial | undefined;
  #done = false;

  constructor(direct: DirectTcp, stream: Stream) {
    super();
    this.#direct = direct;
    this.#stream = stream;
  }

  start(): void {
    this.#dial = this.#direct.dialer.dial(this);
  }

  onTarget(target: Stream, address: string, port: number): void {
    this.#done = true;
    const direct = this.#direct;
    const { context } = direct;
    const stream = this.#stream;
    let header: string | undefined;
    if (context.settings.proxy) {
      const source = { address: stream.remoteAddress ?? "", port: stream.remotePort ?? 0 };
      header = proxyHeader(source, { address, port });
    }
    if (header !== undefined) target.write(header, "latin1");
    new TcpRelay({
      context,
      local: stream,
      remote: target,
      earlyLocal: this.early,
      inspection: context.inspection,
      owner: this,
    });
  }

  onBlocked(): void {
    this.#direct.context.logLimited("warn", "blocked protocol refused");
  }

  onFinished(): void {
    const { context } = this.#direct;
    this.#direct.release();
    if (context.debugs) context.log("debug", "tcp connection closed");
  }

  onNoTarget(error: Error): void {
    this.#direct.context.logLimited("error", error.message);
    resetStream(this.#stream);
  }

  override onClose(): void {
    if (this.#done) return;
    this.#done = true;
    this.#dial?.cancel();
    this.#direct.release();
  }
}
