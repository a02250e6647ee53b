import type { LeaderRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import { type FleetStore, LEADER_KEY, type Stored } from "../store/fleet-store.ts";
import type { Leadership } from "./leadership.ts";

/** How long a hub leads after it has sent the last renewal that succeeded, ms. Section 7, rule 3. */
export const LEADER_TTL_MS = 5000;
/** Another one takes the lead only when nothing has changed for so much longer, ms. */
const LEAVE_MS = 1000;
/** Longest wait for the record that says that it is given up, ms. */
const RESIGN_MS = 1000;
/**
 * While the engine takes no write, as with a full disk, finding its own record is worth so much, ms. Whoever
 * takes the lead after that look names no new owner for a second more than leases last, and who leads by
 * looks alone names none at all (section 7, rule 5).
 */
export const CONFIRMED_MS = 800;

/** What an election is made of. */
export interface ElectionOptions {
  /** Id of this hub, for people. */
  readonly hub: string;
  /** Of this process: 8 random bytes in hexadecimal. */
  readonly nonce: string;
  readonly records: FleetStore["leader"];
  readonly clock: Clock;
  readonly logger: Logger;
  /** @default LEADER_TTL_MS */
  readonly ttlMs?: number | undefined;
  /**
   * Whether what is read is what was written last: one server alone keeps the record. Of several, one that was
   * cut off from the others may go on answering. @default they are not
   */
  readonly readsAreLast?: (() => Promise<boolean>) | undefined;
}

/** An election that goes on until it is closed. */
export interface Election extends Leadership {
  /**
   * Leads no more from this moment on, and says so in the record, so that another hub takes the lead at
   * once; if that can't be written soon, it does when its time is over. Never rejects. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Takes part in the choice of the hub that leads; section 7, rule 3. States: *following* (it looks at the
 * record every sixteenth of the TTL, and notes when it last saw it change), *leading* (it renews the record
 * every quarter, by CAS). It leads from a successful write until the TTL after that write was **sent**,
 * whatever the engine answers later; the deadline is compared whenever somebody asks, so that a process
 * that was frozen does not lead when it wakes. The key is taken by CAS on the revision that was seen
 * unchanged for TTL + 1 s; one with the own nonce, or whose leader has resigned, at once. Only the
 * monotonic clock counts.
 *
 * *In doubt* is a leader whose last write that succeeded is almost its TTL ago, while `readsAreLast`: it
 * looks all the time, and leads for a little after each look that found its own record; it is not sure
 * (`Leadership.isSure`) from when the TTL is over.
 */
export function startElection(options: ElectionOptions): Election {
  const { hub, nonce, records, clock, logger, ttlMs = LEADER_TTL_MS, readsAreLast } = options;
  const intervalMs = ttlMs / 4;
  // What a look is late by is added to every takeover after a leader's death.
  const lookMs = intervalMs / 4;
  const own: LeaderRecord = { v: 1, hub, nonce };
  const listeners = new Set<(leading: boolean) => void>();
  let seen:
    | { readonly revision: number; readonly since: number; readonly record: LeaderRecord }
    | undefined;
  /** It leads while the clock is below this. */
  let until = Number.NEGATIVE_INFINITY;
  /** The same by writes alone: no other leads before this. */
  let sureUntil = Number.NEGATIVE_INFINITY;
  let since = 0;
  let wasLeading = false;
  let isClosed = false;
  let cancel = (): void => undefined;
  let cancelEnd = (): void => undefined;
  let cancelDoubt = (): void => undefined;

  const isLeading = () => !isClosed && clock.monotonic() < until;
  const isSure = () => !isClosed && clock.monotonic() < sureUntil;

  const turn = () => {
    const leading = isLeading();
    if (leading === wasLeading) return;
    wasLeading = leading;
    if (leading) logger.info({ hub }, "this hub leads");
    else logger.warn({ hub }, "this hub does not lead any more");
    for (const listener of listeners) listener(leading);
  };

  /** It leads till then, if that is not over. */
  const lead = (to: number) => {
    const hadGap = !isLeading();
    until = Math.max(until, to);
    if (!isLeading()) return;
    // A gap, however short, is one in which another may have led.
    if (hadGap) {
      since = clock.monotonic();
      wasLeading = false;
    }
    cancelEnd();
    cancelEnd = clock.after(until - clock.monotonic(), turn);
    turn();
  };

  /** @param sentAt when the write that succeeded was sent */
  const won = (sentAt: number, revision: number) => {
    seen = { revision, since: clock.monotonic(), record: own };
    sureUntil = Math.max(sureUntil, sentAt + ttlMs);
    lead(sentAt + ttlMs);
    cancelDoubt();
    if (readsAreLast !== undefined && !isClosed) {
      const restMs = sentAt + ttlMs - CONFIRMED_MS - clock.monotonic();
      cancelDoubt = clock.after(Math.max(0, restMs), doubt);
    }
  };

  /** Again and again, until a write succeeds or another has the lead. */
  const doubt = () => {
    const sentAt = clock.monotonic();
    let isOver = false;
    // A write that succeeds meanwhile begins anew.
    cancelDoubt = () => {
      isOver = true;
    };
    void Promise.all([records.get(LEADER_KEY), readsAreLast?.()])
      .then(
        ([found, isLast]) => {
          if (isOver || isClosed) return;
          if (found?.value.nonce === nonce && isLast) lead(sentAt + CONFIRMED_MS);
          else isOver = true;
        },
        (error: unknown) => logger.debug({ hub, error: String(error) }, "no look at the lead"),
      )
      .finally(() => {
        if (isOver || isClosed) return;
        const waitMs = sentAt + CONFIRMED_MS / 4 - clock.monotonic();
        cancelDoubt = clock.after(Math.max(0, waitMs), doubt);
      });
  };

  const note = (found: Stored<LeaderRecord>) => {
    if (seen?.revision === found.revision) return;
    seen = { revision: found.revision, since: clock.monotonic(), record: found.value };
  };

  const step = async () => {
    const found = await records.get(LEADER_KEY);
    if (isClosed) return;
    const sentAt = clock.monotonic();
    if (found === undefined) {
      won(sentAt, await records.create(LEADER_KEY, own));
      return;
    }
    note(found);
    // Another has led: what follows is a lead of its own, even if that one has given it up already.
    if (found.value.nonce !== nonce && !isSure()) until = Number.NEGATIVE_INFINITY;
    const isFree = found.value.nonce === nonce || found.value.resigned === true;
    const unchangedFor = sentAt - (seen?.since ?? sentAt);
    if (!isFree && unchangedFor < ttlMs + LEAVE_MS) return;
    won(sentAt, await records.update(LEADER_KEY, own, found.revision));
  };

  const renew = async () => {
    if (seen === undefined) return;
    const sentAt = clock.monotonic();
    won(sentAt, await records.update(LEADER_KEY, own, seen.revision));
  };

  let current: Promise<void> = Promise.resolve();
  const round = () => {
    if (isClosed) return;
    const begun = clock.monotonic();
    const isRenewal = isLeading() && seen?.record.nonce === nonce;
    current = (isRenewal ? renew() : step())
      .catch((error: unknown) => {
        // A lost race or no engine: the next round sees what there is.
        logger.debug({ hub, error: String(error) }, "no lead this time");
        if (isRenewal) seen = undefined;
      })
      .finally(() => {
        if (isClosed) return;
        turn();
        const every = isLeading() ? intervalMs : lookMs;
        cancel = clock.after(Math.max(0, begun + every - clock.monotonic()), round);
      });
  };
  round();

  const resign = async () => {
    // What is under way may win still.
    await current;
    if (seen === undefined || seen.record.nonce !== nonce) return;
    await records.update(LEADER_KEY, { ...own, resigned: true }, seen.revision);
  };
  const close = async () => {
    isClosed = true;
    cancel();
    cancelEnd();
    cancelDoubt();
    turn();
    listeners.clear();
    const resigned = resign().catch((error: unknown) => {
      logger.debug({ hub, error: String(error) }, "the lead ends by its time");
    });
    let forget = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      forget = clock.after(RESIGN_MS, resolve);
    });
    await Promise.race([resigned, late]);
    forget();
  };
  let closing: Promise<void> | undefined;

  return {
    isLeading,
    isSure,
    leadingSince: () => (isLeading() ? since : undefined),
    leader: () =>
      isLeading() ? hub : seen?.record.resigned === true ? undefined : seen?.record.hub,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
