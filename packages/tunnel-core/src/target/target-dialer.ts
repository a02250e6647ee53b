import { isIP } from "node:net";
import type { HostPort, ProxyAddress } from "@nodepass/url-config";
import { DeadlineQueue } from "../deadline-queue.ts";
import { TunnelError } from "../errors.ts";
import type { ResolvedAddress } from "../names/name-cache.ts";
import { ProxyDial } from "../proxy/proxy-dial.ts";
import type { ByteStream, StreamReader } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { adoptTcp, dialTcp } from "../stream/tcp-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";

/** Who wants a connection to a target. Exactly one of the two is called, unless cancelled. */
export interface TargetWanted {
  /**
   * The stream's reader does nothing: set another at once.
   *
   * @param address the target's, as far as it is known: through a proxy its host as it is given
   * @param early what the target has said already (behind a proxy's answer)
   */
  onTarget(stream: ByteStream, address: string, port: number, early?: Buffer): void;
  onNoTarget(error: TunnelError): void;
}

/** Dials the targets in turn; a target that refuses is skipped for the next one. */
export class TargetDialer {
  readonly context: TunnelContext;
  readonly deadlines: DeadlineQueue<TargetDial>;
  /** Source address, or `undefined` for the system's choice. */
  readonly localAddress: string | undefined;
  /** The proxy on the way to a target. */
  readonly proxyTo: (target: HostPort) => ProxyAddress | undefined;
  #next = 0;

  constructor(
    context: TunnelContext,
    proxyTo: (target: HostPort) => ProxyAddress | undefined = () => undefined,
  ) {
    this.context = context;
    this.proxyTo = proxyTo;
    const { dial } = context.settings;
    this.localAddress = dial === "auto" ? undefined : dial;
    this.deadlines = new DeadlineQueue(context.limits.tcpDialTimeoutMs, (dial) => dial.timeOut());
  }

  dial(wanted: TargetWanted): TargetDial {
    const { targets } = this.context.settings;
    const dial = new TargetDial(this, targets, this.#next, wanted);
    this.#next = (this.#next + 1) % targets.length;
    dial.start();
    return dial;
  }

  /** Ends every dial under way: who waits for one is told. */
  close(): void {
    this.deadlines.clear((dial) => dial.abort());
  }
}

/** One connection to any of the targets in the making. */
export class TargetDial implements StreamReader {
  readonly #dialer: TargetDialer;
  readonly #targets: readonly HostPort[];
  readonly #first: number;
  readonly #wanted: TargetWanted;
  #tried = 0;
  #target: HostPort | undefined;
  #addresses: readonly ResolvedAddress[] = [];
  #address = 0;
  #stream: ByteStream | undefined;
  #through: ProxyAddress | undefined;
  #proxied: ProxyDial | undefined;
  #lastError: unknown;
  #done = false;
  readonly #onConnect = (): void => this.#connected();

  constructor(
    dialer: TargetDialer,
    targets: readonly HostPort[],
    first: number,
    wanted: TargetWanted,
  ) {
    this.#dialer = dialer;
    this.#targets = targets;
    this.#first = first;
    this.#wanted = wanted;
  }

  start(): void {
    this.#nextTarget();
  }

  /** Gives up without calling back. */
  cancel(): void {
    this.#done = true;
    this.#drop();
  }

  /** The tunnel closes. */
  abort(): void {
    if (this.#done) return;
    this.cancel();
    this.#wanted.onNoTarget(new TunnelError("CLOSED", "the tunnel has closed"));
  }

  #nextTarget(): void {
    const target = this.#targets[(this.#first + this.#tried) % this.#targets.length];
    if (target === undefined || this.#tried >= this.#targets.length) {
      this.#fail();
      return;
    }
    this.#tried++;
    this.#target = target;
    this.#address = 0;
    this.#addresses = [];
    try {
      this.#through = this.#dialer.proxyTo(target);
    } catch (error) {
      this.#lastError = error;
      this.#nextTarget();
      return;
    }
    const addresses = this.#dialer.context.names.resolve(this.#through?.host ?? target.host);
    if (!(addresses instanceof Promise)) {
      this.#addresses = addresses;
      this.#nextAddress();
      return;
    }
    const attempt = this.#tried;
    const current = (): boolean => !this.#done && this.#tried === attempt;
    this.#dialer.deadlines.add(this);
    addresses.then(
      (resolved) => {
        if (!current()) return;
        this.#addresses = resolved;
        this.#dialer.deadlines.delete(this);
        this.#nextAddress();
      },
      (error: unknown) => {
        if (!current()) return;
        this.#lastError = error;
        this.#dialer.deadlines.delete(this);
        this.#nextTarget();
      },
    );
  }

  #nextAddress(): void {
    const resolved = this.#addresses[this.#address++];
    const target = this.#target;
    if (resolved === undefined || target === undefined) {
      this.#nextTarget();
      return;
    }
    const { localAddress, context } = this.#dialer;
    if (localAddress !== undefined && isIP(localAddress) !== resolved.family) {
      this.#lastError = new TunnelError(
        "TARGET_UNREACHABLE",
        `dial address ${localAddress} and target address ${resolved.address} are of two families`,
      );
      this.#nextAddress();
      return;
    }
    this.#dialer.deadlines.add(this);
    if (this.#through !== undefined) {
      this.#dialProxy(resolved.address, this.#through, target);
      return;
    }
    this.#stream = dialTcp(
      { address: resolved.address, port: target.port, localAddress },
      context.buffers,
      this.#onConnect,
    );
    this.#stream.setReader(this);
  }

  #dialProxy(address: string, through: ProxyAddress, to: HostPort): void {
    const { localAddress, context } = this.#dialer;
    this.#proxied = new ProxyDial({
      route: { address, port: through.port, proxy: { through, to } },
      localAddress,
      onConnected: (socket, early) => {
        this.#done = true;
        this.#dialer.deadlines.delete(this);
        this.#wanted.onTarget(adoptTcp(socket, context.buffers), to.host, to.port, early);
      },
      onFailed: (error) => {
        this.#lastError = error;
        this.#dialer.deadlines.delete(this);
        this.#nextAddress();
      },
    });
  }

  #connected(): void {
    const stream = this.#stream;
    const address = this.#addresses[this.#address - 1]?.address;
    if (this.#done || stream === undefined || address === undefined) return;
    this.#done = true;
    this.#dialer.deadlines.delete(this);
    this.#stream = undefined;
    stream.setReader(DETACHED_READER);
    this.#wanted.onTarget(stream, address, this.#target?.port ?? 0);
  }

  timeOut(): void {
    this.#lastError = new TunnelError(
      "TARGET_UNREACHABLE",
      `no answer within ${this.#dialer.context.limits.tcpDialTimeoutMs} ms`,
    );
    this.#drop();
    this.#nextAddress();
  }

  #drop(): void {
    this.#dialer.deadlines.delete(this);
    this.#proxied?.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    stream.setReader(DETACHED_READER);
    stream.destroy();
  }

  #fail(): void {
    this.#done = true;
    const names = this.#targets.map((target) => `${target.host}:${target.port}`).join(", ");
    const cause = this.#lastError;
    const why = cause instanceof Error ? cause.message : "no address";
    this.#wanted.onNoTarget(
      new TunnelError("TARGET_UNREACHABLE", `target ${names} unreachable: ${why}`, { cause }),
    );
  }

  onBytes(): boolean {
    return false;
  }
  onEnd(): void {}
  onDrain(): void {}
  onError(error: Error): void {
    this.#lastError = error;
  }
  onClose(): void {
    if (this.#done || this.#stream === undefined) return;
    this.#dialer.deadlines.delete(this);
    this.#stream = undefined;
    this.#nextAddress();
  }
}
