import { createHash } from "node:crypto";
import { vi } from "vitest";
import type { ByteStream, Lease, StreamReader } from "../../src/stream/byte-stream.ts";

/** Reads a stream, and keeps what it has heard. */
export class RecordingReader implements StreamReader {
  readonly stream: ByteStream;
  readonly events: string[] = [];
  bytes = 0;
  /** Stops reading after so many bytes, for a turn of the loop each time; `undefined`: never. */
  stopsAfter: number | undefined;
  onRead: ((bytes: Buffer, lease: Lease) => boolean) | undefined;
  /** Set while a method of the stream runs: then nothing may be heard. */
  inside = false;
  calledInside = 0;
  #drains = 0;
  #seenDrains = 0;
  #sinceStop = 0;
  #start = "";
  readonly #hash = createHash("sha256");

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.setReader(this);
  }

  #heard(event: string): void {
    this.events.push(event);
    if (this.inside) this.calledInside++;
  }

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    const bytes = buffer.subarray(0, length);
    if (this.inside) this.calledInside++;
    this.bytes += length;
    this.#hash.update(bytes);
    if (this.#start.length < 64) this.#start += bytes.toString("latin1", 0, 64);
    if (this.onRead !== undefined) return this.onRead(bytes, lease);
    if (this.stopsAfter === undefined) return true;
    this.#sinceStop += length;
    if (this.#sinceStop < this.stopsAfter) return true;
    this.#sinceStop = 0;
    setImmediate(() => {
      if (this.stopsAfter !== undefined && this.stopsAfter > 1) this.stream.resume();
    });
    return false;
  }

  onEnd(): void {
    this.#heard("end");
  }

  onDrain(): void {
    this.#drains++;
    this.#heard("drain");
  }

  onError(): void {
    this.#heard("error");
  }

  onClose(): void {
    this.#heard("close");
  }

  /** The first bytes as text. */
  text(): string {
    return this.#start;
  }

  /** Of all bytes so far; once. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** A drain that was not awaited yet. */
  async drained(): Promise<void> {
    await vi.waitFor(() => this.#takeDrain(), { timeout: 20_000, interval: 1 });
  }

  drainedWithin(ms: number): Promise<boolean> {
    return vi
      .waitFor(() => this.#takeDrain(), { timeout: ms, interval: 5 })
      .then(
        () => true,
        () => false,
      );
  }

  #takeDrain(): void {
    if (this.#drains === this.#seenDrains) throw new Error("not drained");
    this.#seenDrains = this.#drains;
  }

  ended(): Promise<void> {
    return this.#hears("end");
  }

  closed(): Promise<void> {
    return this.#hears("close");
  }

  /** It has heard that nothing more will come, in whatever way. */
  async over(): Promise<void> {
    await vi.waitFor(
      () => {
        if (!this.events.includes("end") && !this.events.includes("close")) {
          throw new Error(`heard ${this.events.join(", ")}, not that it is over`);
        }
      },
      { timeout: 20_000, interval: 2 },
    );
  }

  async #hears(event: string): Promise<void> {
    await vi.waitFor(
      () => {
        if (!this.events.includes(event)) {
          throw new Error(`no ${event}: heard ${this.events.slice(-8).join(", ")}`);
        }
      },
      { timeout: 20_000, interval: 2 },
    );
  }
}
