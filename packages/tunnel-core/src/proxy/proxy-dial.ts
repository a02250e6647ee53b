import { connect, type Socket } from "node:net";
import { formatHostPort } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { KEEP_ALIVE_MS } from "../stream/tcp-stream.ts";
import { beginProxyExchange } from "../wire/begin-proxy-exchange.ts";
import type { ProxyExchange } from "../wire/proxy-exchange.ts";
import type { Route } from "./route.ts";

export interface ProxyDialOptions {
  readonly route: Route & { readonly proxy: NonNullable<Route["proxy"]> };
  readonly localAddress?: string | undefined;
  /**
   * The proxy has opened the connection.
   *
   * @param socket with a high-water mark of 0, paused, without listeners
   * @param rest what the other side has sent already
   */
  onConnected(socket: Socket, rest: Buffer | undefined): void;
  /** @param error `TunnelError` `PROXY_FAILED`; the system's error is its cause */
  onFailed(error: TunnelError): void;
}

/** A connection through a proxy in the making. Exactly one callback is called, unless cancelled. */
export class ProxyDial {
  readonly #options: ProxyDialOptions;
  readonly #socket: Socket;
  #exchange: ProxyExchange | undefined;
  #error: Error | undefined;
  #done = false;
  readonly #onConnect = (): void => this.#connected();
  readonly #onReadable = (): void => this.#read();
  readonly #onError = (error: Error): void => {
    this.#error = error;
  };
  readonly #onClose = (): void => this.#closed();
  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };

  constructor(options: ProxyDialOptions) {
    this.#options = options;
    const { route, localAddress } = options;
    const tcp = {
      host: route.address,
      port: route.port,
      ...(localAddress !== undefined && { localAddress }),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      autoSelectFamily: false,
    };
    const socket = connect(Object.assign(tcp, { highWaterMark: 0 }));
    this.#socket = socket;
    socket.on("connect", this.#onConnect);
    socket.on("error", this.#onError);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
  }

  #connected(): void {
    const { through, to } = this.#options.route.proxy;
    try {
      this.#exchange = beginProxyExchange(through, to);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#socket.on("readable", this.#onReadable);
    this.#socket.write(this.#exchange.opening);
  }

  #read(): void {
    for (;;) {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk === null || this.#exchange === undefined || this.#done) return;
      try {
        const step = this.#exchange.push(chunk);
        if (step.kind === "send") this.#socket.write(step.bytes);
        if (step.kind === "done") {
          this.#finish();
          this.#options.onConnected(this.#socket, step.rest);
          return;
        }
      } catch (error) {
        this.#fail(error);
        return;
      }
    }
  }

  #finish(): void {
    this.#done = true;
    const socket = this.#socket;
    socket.off("connect", this.#onConnect);
    socket.off("readable", this.#onReadable);
    socket.off("error", this.#onError);
    socket.off("end", this.#onEnd);
    socket.off("close", this.#onClose);
  }

  #closed(): void {
    const error = this.#error;
    const why = error?.message ?? "it closed the connection without an answer";
    this.#fail(new TunnelError("PROXY_FAILED", why, { cause: error }));
  }

  #fail(error: unknown): void {
    if (this.#done) return;
    this.cancel();
    const message = error instanceof Error ? error.message : String(error);
    const where = formatHostPort(this.#options.route.proxy.through);
    this.#options.onFailed(
      new TunnelError("PROXY_FAILED", `proxy ${where}: ${message}`, { cause: error }),
    );
  }

  /** Gives up: nothing is called any more. */
  cancel(): void {
    if (this.#done) return;
    this.#finish();
    // An error may follow.
    this.#socket.on("error", ignore);
    this.#socket.destroy();
  }
}

function ignore(): void {
  // The socket is being closed.
}
