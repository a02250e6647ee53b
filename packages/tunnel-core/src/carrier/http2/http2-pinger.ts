import type { Http2Session } from "node:http2";
import { TunnelError } from "../../errors.ts";
import { UNANSWERED_PINGS } from "../shared-limits.ts";

/** Pings an HTTP/2 connection for as long as it lives, and ends it when nothing answers. */
export function keepAlive(session: Http2Session, intervalMs: number): void {
  let unanswered = 0;
  const timer = setInterval(() => {
    if (session.destroyed) return;
    if (unanswered >= UNANSWERED_PINGS) {
      session.destroy(new TunnelError("PEER_LOST", "the HTTP/2 connection fell silent"));
      return;
    }
    unanswered++;
    session.ping((error) => {
      if (error === null) unanswered = 0;
    });
  }, intervalMs);
  session.once("close", () => clearInterval(timer));
}
