import type { ByteStream } from "../../stream/byte-stream.ts";
import type { Lingerer } from "../../stream/lingerer.ts";
import { type WebSocketOwner, WebSocketStream } from "./websocket-stream.ts";

/** How often quiet streams are looked for, ms. */
const SWEEP_MS = 12_500;
/** Sweeps without a byte sent after which a stream is pinged: 12.5 to 25 s. */
const QUIET_SWEEPS = 2;

/**
 * The WebSocket streams of one end, with one timer for all: proxies on the way close what is silent
 * for 60 s or so. No timer runs while there are none.
 */
export class WebSocketStreams implements WebSocketOwner {
  readonly #streams = new Set<WebSocketStream>();
  readonly #lingerer: Lingerer;
  #timer: NodeJS.Timeout | undefined;

  constructor(lingerer: Lingerer) {
    this.#lingerer = lingerer;
  }

  /** Makes a stream of a connection that has been opened, see `WebSocketStream`. */
  add(inner: ByteStream, client: boolean, early: Buffer | undefined): WebSocketStream {
    const stream = new WebSocketStream(inner, client, this, early);
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    return stream;
  }

  #sweep(): void {
    for (const stream of this.#streams) {
      if (++stream.quietSweeps >= QUIET_SWEEPS) stream.ping();
    }
  }

  linger(inner: ByteStream): void {
    this.#lingerer.end(inner);
  }

  onClosed(stream: WebSocketStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
