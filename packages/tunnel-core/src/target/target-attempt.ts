import type { HostPort, ProxyAddress } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { ProxyDial } from "../proxy/proxy-dial.ts";
import type { ByteStream, StreamReader } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { adoptTcp, dialTcp, type TcpWanted } from "../stream/tcp-stream.ts";
import type { DialParts, Timed } from "./dial-parts.ts";
import { portOf } from "./port-of.ts";

/** The dial that an attempt belongs to. One of the three is called, unless it was ended. */
export interface AttemptOwner {
  readonly dialer: DialParts;
  /** Which port of a range is wanted. */
  readonly place: number;
  /** @param early what the target has said already (behind a proxy's answer) */
  connected(attempt: TargetAttempt, stream: ByteStream, early?: Buffer): void;
  failed(attempt: TargetAttempt, error: Error): void;
  /** The tunnel closes. */
  abort(): void;
}

/** One connection in the making to one address. */
export class TargetAttempt implements StreamReader, Timed, TcpWanted {
  readonly target: HostPort;
  /** That is dialled: the target's, or that of the proxy on the way. */
  readonly address: string;
  readonly through: ProxyAddress | undefined;
  readonly #dial: AttemptOwner;
  readonly #port: number;
  #proxied: ProxyDial | undefined;
  #stream: ByteStream | undefined;
  #error: Error | undefined;
  /** Where latency matters. */
  #startedAt = 0;
  /** Its user has got another target: all that is wanted is to know whether this one works. */
  #detached = false;

  constructor(
    dial: AttemptOwner,
    target: HostPort,
    address: string,
    through: ProxyAddress | undefined,
  ) {
    this.#dial = dial;
    this.#port = portOf(target, dial.place) ?? target.port;
    this.target = target;
    this.address = address;
    this.through = through;
  }

  /** @returns the time now, of `performance.now()` */
  start(): number {
    const { context, localAddress, deadlines } = this.#dial.dialer;
    const now = deadlines.add(this);
    if (this.#dial.dialer.health.measures) this.#startedAt = now;
    if (this.through !== undefined) {
      this.#proxied = new ProxyDial({
        route: {
          address: this.address,
          port: this.through.port,
          proxy: { through: this.through, to: { host: this.target.host, port: this.#port } },
        },
        localAddress,
        onConnected: (socket, early) => {
          this.#stream = adoptTcp(socket, context.buffers);
          this.#connected(early);
        },
        onFailed: (error) => {
          this.#release();
          this.#failed(error);
        },
      });
      return now;
    }
    const to = { address: this.address, port: this.#port, localAddress };
    this.#stream = dialTcp(to, context.buffers, this);
    this.#stream.setReader(this);
    return now;
  }

  onConnect(): void {
    this.#connected();
  }

  #connected(early?: Buffer): void {
    const stream = this.#release();
    if (stream === undefined) return;
    if (this.#startedAt > 0) {
      this.#dial.dialer.health.measured(this.target, performance.now() - this.#startedAt);
    }
    if (!this.#detached) {
      this.#dial.connected(this, stream, early);
      return;
    }
    this.#dial.dialer.health.worked(this.target);
    stream.destroy();
  }

  /** Goes on by itself, within its time limit. */
  detach(): void {
    this.#detached = true;
  }

  /** Ends it, whatever would have become of it. */
  drop(): void {
    this.#release()?.destroy();
    this.#dial.dialer.health.giveUp(this.target, this.#dial);
  }

  timeOut(): void {
    const { tcpDialTimeoutMs } = this.#dial.dialer.context.limits;
    this.#release()?.destroy();
    this.#failed(new TunnelError("TARGET_UNREACHABLE", `no answer within ${tcpDialTimeoutMs} ms`));
  }

  abort(): void {
    if (this.#detached) this.#release()?.destroy();
    else this.#dial.abort();
  }

  #failed(error: Error): void {
    const { context, health } = this.#dial.dialer;
    if (!this.#detached) {
      this.#dial.failed(this, error);
      return;
    }
    if (this.through === undefined) context.names.failed(this.target.host, this.address);
    health.failed(this.target, error);
  }

  /** The stream is nobody's from here. */
  #release(): ByteStream | undefined {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#proxied?.cancel();
    this.#dial.dialer.deadlines.delete(this);
    if (stream !== undefined) stream.setReader(DETACHED_READER);
    return stream;
  }

  onBytes(): boolean {
    return false;
  }
  onEnd(): void {}
  onDrain(): void {}
  onError(error: Error): void {
    this.#error = error;
  }
  onClose(): void {
    if (this.#release() === undefined) return;
    this.#failed(this.#error ?? new Error("closed"));
  }
}
