import type { Carrier } from "../carrier.ts";
import { WebSocketDialer } from "./websocket-dialer.ts";
import { WebSocketListener } from "./websocket-listener.ts";

/** `type` 2: each stream is a WebSocket connection, with TLS or without. */
export const webSocketCarrier: Carrier = {
  type: 2,
  dial: (terms) => new WebSocketDialer(terms),
  listen: (terms) => Promise.resolve(new WebSocketListener(terms)),
};
