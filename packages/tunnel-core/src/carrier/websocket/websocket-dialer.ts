import { isIPv6 } from "node:net";
import { TunnelError } from "../../errors.ts";
import type { ByteStream, StreamReader } from "../../stream/byte-stream.ts";
import { DETACHED_READER } from "../../stream/detached-reader.ts";
import { HEAD_END, parseHttpHead } from "../../wire/http-head.ts";
import {
  checkOpeningAnswer,
  formatOpeningRequest,
  MAX_OPENING_BYTES,
  newWebSocketKey,
} from "../../wire/websocket-opening.ts";
import type { CarrierDialer, CarrierDialTerms, StreamDial, StreamWanted } from "../carrier.ts";
import { TransportDial, type TransportWanted } from "../transport-dial.ts";
import { WebSocketStreams } from "./websocket-streams.ts";

/** A client's side: a connection and an upgrade for each stream. */
export class WebSocketDialer implements CarrierDialer {
  readonly terms: CarrierDialTerms;
  readonly streams: WebSocketStreams;
  readonly dials = new Set<WebSocketDial>();

  constructor(terms: CarrierDialTerms) {
    this.terms = terms;
    this.streams = new WebSocketStreams(terms.lingerer);
  }

  open(wanted: StreamWanted): StreamDial {
    const dial = new WebSocketDial(this, wanted);
    this.dials.add(dial);
    return dial;
  }

  close(): void {
    for (const dial of [...this.dials]) dial.cancel();
  }
}

/** One connection in the making: the transport, then the upgrade. */
class WebSocketDial implements StreamDial, TransportWanted, StreamReader {
  readonly #dialer: WebSocketDialer;
  readonly #wanted: StreamWanted;
  readonly #transport: TransportDial;
  readonly #key = newWebSocketKey();
  #inner: ByteStream | undefined;
  #bytes = Buffer.alloc(0);
  #error: Error | undefined;
  #done = false;

  constructor(dialer: WebSocketDialer, wanted: StreamWanted) {
    this.#dialer = dialer;
    this.#wanted = wanted;
    this.#transport = new TransportDial(dialer.terms, this);
  }

  onTransport(inner: ByteStream, early: Buffer | undefined): void {
    const { path, serverName, address, proxy } = this.#dialer.terms;
    const host = serverName ?? proxy?.to.host ?? address;
    this.#inner = inner;
    if (early !== undefined) {
      this.onFailed(new TunnelError("PEER_LOST", "the server spoke before it was asked"));
      return;
    }
    inner.setReader(this);
    // As NodePass 1.14: without the port.
    const request = formatOpeningRequest(path, isIPv6(host) ? `[${host}]` : host, this.#key);
    inner.write(Buffer.from(request, "latin1"));
    inner.resume();
  }

  onBytes(buffer: Buffer, length: number): boolean {
    const inner = this.#inner;
    if (this.#done || inner === undefined) return false;
    this.#bytes = Buffer.concat([this.#bytes, buffer.subarray(0, length)]);
    const end = this.#bytes.indexOf(HEAD_END, 0, "latin1");
    if (end < 0 && this.#bytes.length <= MAX_OPENING_BYTES) return true;
    try {
      const head = end < 0 ? undefined : parseHttpHead(this.#bytes.toString("latin1", 0, end));
      if (head === undefined) {
        throw new TunnelError("PEER_LOST", "the server opened no websocket: its answer is no HTTP");
      }
      checkOpeningAnswer(head, this.#key);
    } catch (error) {
      this.onFailed(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
    const rest = this.#bytes.subarray(end + HEAD_END.length);
    const { streams } = this.#dialer;
    this.#inner = streams.add(inner, true, rest.length === 0 ? undefined : rest);
    // From outside this call, which stops reading: it goes on when the stream's user says so.
    process.nextTick(standsNow, this, this.#inner);
    return false;
  }

  stands(stream: ByteStream): void {
    if (this.#done) return;
    if (stream.destroyed) {
      this.onFailed(closedEarly());
      return;
    }
    this.#finish();
    this.#wanted.onStream(stream);
  }

  #finish(): void {
    this.#done = true;
    this.#dialer.dials.delete(this);
  }

  onFailed(error: Error): void {
    if (this.#done) return;
    this.#finish();
    this.#inner?.setReader(DETACHED_READER);
    this.#inner?.destroy();
    this.#wanted.onFailed(error);
  }

  cancel(): void {
    if (this.#done) return;
    this.#finish();
    this.#transport.cancel();
    this.#inner?.setReader(DETACHED_READER);
    this.#inner?.destroy();
  }

  onEnd(): void {
    this.onFailed(closedEarly());
  }
  onDrain(): void {}
  onError(error: Error): void {
    this.#error = error;
  }
  onClose(): void {
    this.onFailed(this.#error ?? closedEarly());
  }
}

function closedEarly(): TunnelError {
  return new TunnelError("PEER_LOST", "the server closed a websocket before it was open");
}

function standsNow(dial: WebSocketDial, stream: ByteStream): void {
  dial.stands(stream);
}
