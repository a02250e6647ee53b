import type { TLSSocket } from "node:tls";
import { adoptTcp } from "../../stream/tcp-stream.ts";
import { adoptTls } from "../../stream/tls-stream.ts";
import { HEAD_END, parseHttpHead } from "../../wire/http-head.ts";
import {
  formatOpeningAnswer,
  formatOpeningRefusal,
  type OpeningVerdict,
  readOpeningRequest,
} from "../../wire/websocket-opening.ts";
import type { CarrierListener, CarrierListenTerms, NewSocket } from "../carrier.ts";
import { WebSocketStreams } from "./websocket-streams.ts";

const MALFORMED: OpeningVerdict = {
  accepted: false,
  status: 400,
  why: "the head of the request is malformed",
};

/** A server's side: answers upgrades on its path. */
export class WebSocketListener implements CarrierListener {
  readonly #terms: CarrierListenTerms;
  readonly #streams: WebSocketStreams;

  constructor(terms: CarrierListenTerms) {
    this.#terms = terms;
    this.#streams = new WebSocketStreams(terms.lingerer);
  }

  /** The request's head is at the front of `early`. */
  onUpgrade(newcomer: NewSocket): void {
    const { path, certificate, buffers, lingerer, onStream, log } = this.#terms;
    const { socket, raw, address, fingerprint, early = Buffer.alloc(0) } = newcomer;
    const secure = socket !== raw;
    const inner = secure
      ? adoptTls(socket as TLSSocket, raw, buffers, { own: fingerprint })
      : adoptTcp(raw, buffers);
    const refuse = (status: number, why: string): void => {
      log("warn", "websocket refused", { address, status, reason: why });
      inner.write(Buffer.from(formatOpeningRefusal(status, why), "utf8"));
      lingerer.end(inner);
    };
    const end = early.indexOf(HEAD_END, 0, "latin1");
    const head = parseHttpHead(early.toString("latin1", 0, end));
    const verdict = head === undefined ? MALFORMED : readOpeningRequest(head);
    if (!verdict.accepted) {
      refuse(verdict.status, verdict.why);
      return;
    }
    if (verdict.path !== path) {
      refuse(404, "there is no tunnel on this path");
      return;
    }
    if (certificate !== undefined && !secure) {
      refuse(400, "this tunnel is for TLS only");
      return;
    }
    inner.write(Buffer.from(formatOpeningAnswer(verdict.accept), "latin1"));
    const rest = early.subarray(end + HEAD_END.length);
    const stream = this.#streams.add(inner, false, rest.length === 0 ? undefined : rest);
    onStream({ stream, address, known: () => newcomer.known() });
  }

  close(): void {}
}
