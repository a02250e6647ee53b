import type { BoxId } from "@nodepass/fleet-protocol";

/**
 * Tells what a member says to this run of a hub from what somebody has kept of what it said before: a
 * process of a member is known by a message that names the hub's run, and all that it has sealed after
 * that one is of now. What hubs have seen they know by themselves; this is for what was said before
 * they began.
 */
export interface SaidNow {
  /**
   * @param id which message it is
   * @param isNamed the message names this run
   * @returns whether it was said after this hub began
   */
  hear(mid: string, id: BoxId, isNamed: boolean): boolean;
  /** It is no member any more. */
  forget(mid: string): void;
}

export function createSaidNow(): SaidNow {
  /** By mid, the process that is known and the first of its messages that named this run. */
  const known = new Map<string, BoxId>();
  return {
    hear: (mid, { sender, counter }, isNamed) => {
      const before = known.get(mid);
      const isKnown = before?.sender === sender;
      if (isKnown && counter > before.counter) return true;
      if (isNamed) known.set(mid, { sender, counter });
      return isNamed;
    },
    forget: (mid) => {
      known.delete(mid);
    },
  };
}
