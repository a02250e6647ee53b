import {
  type ByteStream,
  connectionReset,
  DETACHED_READER,
  SHARED,
  type StreamReader,
} from "@nodepass/tunnel-core";
import type { QuicConnection } from "./quic-connection.ts";

/** Code of a stream that is reset; ours to choose (RFC 9000, section 20.2). */
const RESET_CODE = 1;

/** One bidirectional stream of a QUIC connection. */
export class QuicStream implements ByteStream {
  reader: StreamReader = DETACHED_READER;
  readonly id: number;
  readonly writesAtOnce = true;
  readonly headRoom = 0;
  readonly #connection: QuicConnection;
  /** What the library had no room for yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #reading = false;
  #readEnded = false;
  #ending = false;
  #writeEnded = false;
  #onEnded: (() => void) | undefined;
  #atMost: number | undefined;
  #error: Error | undefined;
  #closed = false;
  /** `onClose` has been called. */
  #over = false;

  constructor(connection: QuicConnection, id: number) {
    this.#connection = connection;
    this.id = id;
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  // Writing.

  write(bytes: Buffer): boolean {
    if (this.#closed || this.#ending) return false;
    const taken = this.#pendingBytes > 0 ? 0 : this.#send(bytes, false);
    if (taken === bytes.length) return true;
    this.#pending.push(bytes.subarray(taken));
    this.#pendingBytes += bytes.length - taken;
    this.#connection.wait(this);
    return false;
  }

  /** The library copies what it takes, so only what it has no room for is copied here. */
  writeCopy(buffer: Buffer, length: number): boolean {
    if (this.#closed || this.#ending) return false;
    const bytes = buffer.subarray(0, length);
    const taken = this.#pendingBytes > 0 ? 0 : this.#send(bytes, false);
    if (taken === length) return true;
    const rest = Buffer.from(bytes.subarray(taken));
    this.#pending.push(rest);
    this.#pendingBytes += rest.length;
    this.#connection.wait(this);
    return false;
  }

  /** @returns how many bytes the library has taken */
  #send(bytes: Buffer, fin: boolean): number {
    this.#connection.touch();
    try {
      return this.#connection.native.streamSend(this.id, bytes, fin) ?? 0;
    } catch (error) {
      // `StreamStopped(code)`: the peer reads no more. Told from outside this method.
      this.#error ??= connectionReset("the peer has reset the stream", error);
      this.#connection.wait(this);
      return 0;
    }
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  end(done?: () => void): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#onEnded = done;
    this.#connection.wait(this);
  }

  /** There may be room again. @returns whether it waits no more */
  goOn(): boolean {
    if (this.#error !== undefined) this.fail(this.#error);
    if (this.#closed) {
      this.#finish();
      return true;
    }
    const waited = this.#pendingBytes > 0;
    while (this.#pending.length > 0) {
      const [bytes] = this.#pending;
      if (bytes === undefined) break;
      const taken = this.#send(bytes, false);
      this.#pendingBytes -= taken;
      if (taken < bytes.length) {
        this.#pending[0] = bytes.subarray(taken);
        if (this.#error !== undefined) this.fail(this.#error);
        return this.#over;
      }
      this.#pending.shift();
    }
    if (waited) this.reader.onDrain();
    if (!this.#ending || this.#writeEnded || this.#closed || this.#pendingBytes > 0) return true;
    this.#send(Buffer.alloc(0), true);
    this.#writeEnded = true;
    this.#onEnded?.();
    if (this.#readEnded) this.#close();
    return true;
  }

  // Reading.

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#connection.wantsRead(this);
  }

  hold(): void {}

  readAtMost(bytes: number | undefined): void {
    this.#atMost = bytes;
  }

  rest(): void {}

  /** Passes on what has come. */
  read(buffer: Buffer): void {
    const memory = this.#atMost === undefined ? buffer : buffer.subarray(0, this.#atMost);
    while (this.#reading && !this.#readEnded && !this.#closed) {
      let got: [number, boolean] | null;
      try {
        got = this.#connection.native.streamRecv(this.id, memory);
      } catch (error) {
        this.fail(connectionReset("the peer has reset the stream", error));
        return;
      }
      if (got === null) return;
      this.#connection.touch();
      const [length, fin] = got;
      if (length > 0 && !this.reader.onBytes(memory, length, SHARED)) this.#reading = false;
      if (!fin) continue;
      this.#readEnded = true;
      if (!this.#closed) this.reader.onEnd();
      if (this.#writeEnded) this.#close();
    }
  }

  // Closing.

  reset(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shutdown();
    this.#connection.wait(this);
  }

  /** The peer has reset it, or the connection is gone. */
  fail(error: Error): void {
    if (this.#over) return;
    const told = this.#closed;
    this.#closed = true;
    this.#shutdown();
    if (!told) this.reader.onError(error);
    this.#finish();
  }

  #close(): void {
    this.#closed = true;
    this.#finish();
  }

  #shutdown(): void {
    const { native, shutdown } = this.#connection;
    for (const direction of [shutdown.Write, shutdown.Read]) {
      try {
        native.streamShutdown(this.id, direction, RESET_CODE);
      } catch {
        // `Done` or `InvalidStreamState`: that direction has ended already.
      }
    }
    this.#connection.touch();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#connection.forget(this);
    this.reader.onClose();
  }

  get destroyed(): boolean {
    return this.#closed;
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remote.host;
  }
  get remotePort(): number | undefined {
    return this.#connection.remote.port;
  }
  get localAddress(): string | undefined {
    return this.#connection.local.host;
  }
  get localPort(): number | undefined {
    return this.#connection.local.port;
  }
  get peerFingerprint(): string | undefined {
    return this.#connection.peerFingerprint;
  }
  get ownFingerprint(): string | undefined {
    return this.#connection.ownFingerprint;
  }
}
