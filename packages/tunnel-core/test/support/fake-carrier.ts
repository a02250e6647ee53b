import type { CarrierDialer, StreamDial, StreamWanted } from "../../src/carrier/carrier.ts";
import { type MemoryStream, type MemoryStreamOptions, memoryPair } from "./memory-stream.ts";

/** A client's carrier whose streams stand, or fail, when the test says so. */
export class FakeCarrier implements CarrierDialer {
  readonly wanted: StreamWanted[] = [];
  cancelled = 0;
  closed = false;
  readonly #streams: MemoryStream[] = [];
  readonly #options: MemoryStreamOptions;

  constructor(options: MemoryStreamOptions = {}) {
    this.#options = options;
  }

  open(wanted: StreamWanted): StreamDial {
    this.wanted.push(wanted);
    return {
      cancel: () => {
        this.cancelled++;
      },
    };
  }

  close(): void {
    this.closed = true;
  }

  /** The stream that was asked for as number `at` stands. @returns the server's side of it */
  accept(at: number): MemoryStream {
    const [client, server] = memoryPair(this.#options);
    this.#streams.push(client, server);
    client.pause();
    this.#wantedAt(at).onStream(client);
    return server;
  }

  fail(at: number, error: Error): void {
    this.#wantedAt(at).onFailed(error);
  }

  #wantedAt(at: number): StreamWanted {
    const wanted = this.wanted[at];
    if (wanted === undefined) throw new Error(`no stream number ${at} was asked for`);
    return wanted;
  }

  cut(): void {
    for (const stream of this.#streams.splice(0)) stream.destroy();
  }
}
