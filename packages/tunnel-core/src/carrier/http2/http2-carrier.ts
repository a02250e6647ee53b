import type { Carrier } from "../carrier.ts";
import { Http2Dialer } from "./http2-dialer.ts";
import { Http2Listener } from "./http2-listener.ts";

/** `type` 3: all streams of a session on one HTTP/2 connection, always with TLS. */
export const http2Carrier: Carrier = {
  type: 3,
  dial: (terms) => new Http2Dialer(terms),
  listen: (terms) => Promise.resolve(new Http2Listener(terms)),
};
