import type { SessionWay } from "../session/session.ts";
import { DATAGRAMS, LANES, PORTS, SIZING, STREAMS } from "../wire/extensions.ts";

/**
 * How the users of a proved session go. `streams` implies all that `datagrams` says; without it the
 * session is one of part 1 (docs/protocol.md, "Extensions").
 *
 * @param lanes what the answer says of them
 */
export function provedWay(inForce: readonly string[], lanes: number | undefined): SessionWay {
  if (inForce.includes(STREAMS)) {
    return { by: "frames", lanes: inForce.includes(LANES) ? (lanes ?? 0) : 0 };
  }
  return { by: "claims", framed: inForce.includes(DATAGRAMS), check: undefined };
}

/** Whether the peer can be told which port of a range a user came to. */
export function hasPorts(inForce: readonly string[]): boolean {
  return inForce.includes(PORTS);
}

/** Whether the ends size the pool together: only the framed entry may close what is idle. */
export function hasSizing(inForce: readonly string[]): boolean {
  return inForce.includes(SIZING) && inForce.includes(STREAMS);
}
