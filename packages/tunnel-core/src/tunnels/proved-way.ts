import type { SessionWay } from "../session/session.ts";
import { DATAGRAMS, STREAMS } from "../wire/extensions.ts";

/**
 * How the users of a proved session go. `streams` implies all that `datagrams` says; without it the
 * session is one of part 1 (docs/protocol.md, "Extensions").
 */
export function provedWay(inForce: readonly string[]): SessionWay {
  if (inForce.includes(STREAMS)) return { by: "frames" };
  return { by: "claims", framed: inForce.includes(DATAGRAMS), check: undefined };
}
