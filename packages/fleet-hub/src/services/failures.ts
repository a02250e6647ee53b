import type { PartRecord, PartReport } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Presence } from "../members/presence.ts";

/** A server that has been in error for so long will not run there, ms: its first tries are over. */
export const GIVEN_UP_AFTER_MS = 5000;

/**
 * What a member's word that a part failed means for its place. A member says so of what it could not
 * make, and of a tunnel that is in error. A client in error is no matter of its place: its server may be
 * away. A server in error can't listen there.
 */
export interface Failures {
  /** Whether a part can't run at a member, at its present epoch. */
  hasFailed(mid: string, sid: string, at: number, part: PartRecord): boolean;
  start(): void;
  close(): void;
}

export function createFailures(
  presence: Pick<Presence, "reportOf" | "onReport">,
  clock: Clock,
): Failures {
  /** Since when tunnels have been in error, by member and part. Monotonic, ms. */
  const inError = new Map<string, { readonly epoch: number; readonly since: number }>();
  let stop: (() => void) | undefined;

  return {
    hasFailed: (mid, sid, at, { epoch, role }) => {
      const said = presence.reportOf(mid, sid, at);
      if (said?.outcome !== "failed" || said.epoch !== epoch) return false;
      if (!said.running) return true;
      const known = inError.get(`${mid}/${sid}/${at}`);
      return (
        role === "server" &&
        known?.epoch === epoch &&
        clock.monotonic() - known.since > GIVEN_UP_AFTER_MS
      );
    },
    start: () => {
      stop = presence.onReport((mid, { sid, part, epoch, outcome, running }) => {
        const key = `${mid}/${sid}/${part}`;
        if (outcome !== "failed" || !running) inError.delete(key);
        else if (inError.get(key)?.epoch !== epoch) {
          inError.set(key, { epoch, since: clock.monotonic() });
        }
      });
    },
    close: () => {
      stop?.();
      inError.clear();
    },
  };
}

/** Whether a member has made a part as its record has it, whatever became of a client's tunnel since. */
export function hasMade(report: PartReport | undefined, { epoch, role }: PartRecord): boolean {
  if (report?.epoch !== epoch) return false;
  return (
    report.outcome === "applied" ||
    (report.outcome === "failed" && report.running && role === "client")
  );
}
