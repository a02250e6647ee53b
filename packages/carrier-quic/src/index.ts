import type { Carrier } from "@nodepass/tunnel-core";
import { QuicDialer } from "./quic-dialer.ts";
import { QuicListener } from "./quic-listener.ts";

/** `type` 1: all streams of a session on one QUIC connection (docs/protocol.md, "QUIC"). */
export const carrier: Carrier = {
  type: 1,
  dial: (terms) => new QuicDialer(terms),
  listen: (terms) => QuicListener.open(terms),
};
