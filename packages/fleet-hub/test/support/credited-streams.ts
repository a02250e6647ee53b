import { type ApiRequest, type CreditSchema, MAX_CHUNK_BYTES } from "@nodepass/fleet-protocol";
import type { z } from "zod";

/** Sends one piece of an answer. */
type SendPiece = (stream: string, n: number, data: Uint8Array, end: boolean) => void;

/** Long answers, each sent as far as the hub has given credit for it. */
export class CreditedStreams {
  /** Streams that the hub has broken off. */
  cancelled = 0;
  readonly #open = new Map<
    string,
    { readonly body: Uint8Array; sent: number; n: number; credit: number }
  >();
  readonly #send: SendPiece;

  constructor(send: SendPiece) {
    this.#send = send;
  }

  begin({ stream, credit }: ApiRequest, body: Uint8Array): void {
    this.#open.set(stream, { body, sent: 0, n: 0, credit });
    this.credit({ stream, bytes: 0, cancel: false });
  }

  credit({ stream, bytes, cancel }: z.output<typeof CreditSchema>): void {
    const open = this.#open.get(stream);
    if (open === undefined) return;
    if (cancel) {
      this.#open.delete(stream);
      this.cancelled += 1;
      return;
    }
    open.credit += bytes;
    while (open.credit > 0 && open.sent < open.body.byteLength) {
      const size = Math.min(open.credit, MAX_CHUNK_BYTES, open.body.byteLength - open.sent);
      const data = open.body.subarray(open.sent, open.sent + size);
      open.sent += size;
      open.credit -= size;
      this.#send(stream, open.n, data, open.sent === open.body.byteLength);
      open.n += 1;
    }
    if (open.sent === open.body.byteLength) this.#open.delete(stream);
  }
}
