import type { PartOrder, PartReport } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { Leadership } from "../leader/leadership.ts";
import type { OrderPusher } from "../services/service-operations.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { LivePresence } from "./live-presence.ts";
import type { Messenger } from "./messenger.ts";
import { goneOrder, isFailure, isSettled, orderFor, ordersFor } from "./orders.ts";
import type { Vouchers } from "./vouchers.ts";

/** A member that failed so often is not asked again till the record changes. Section 9. */
export const MAX_FAILURES = 5;
/** Orders of one message. */
const MAX_ORDERS = 500;
const RETRY_MS = { least: 1000, most: 30_000 } as const;
/** How often the leader looks for orders that are not carried out, ms. */
const TICK_MS = 500;
/** A member that has just been told has so long to say what became of it, ms. */
const GRACE_MS = 3000;

/** What the pusher is made of. */
export interface OrderPusherOptions {
  readonly index: FleetIndex;
  readonly presence: LivePresence;
  readonly messenger: Pick<Messenger, "apply">;
  readonly leadership: Leadership;
  readonly vouchers: Pick<Vouchers, "order">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a member answered to this hub alone; the others are to hear it, too. */
  readonly onApplied: (mid: string, reports: readonly PartReport[]) => void;
}

interface Open {
  order: PartOrder;
  /** This hub wrote the record: it brings the order, whether it leads or not. */
  isOwn: boolean;
  failures: number;
  tries: number;
  /** Monotonic, ms. */
  nextAt: number;
}

/** A pusher that follows the index. */
export interface LiveOrderPusher extends OrderPusher {
  /** Orders that are not carried out, as this hub knows; exact only at the leader. */
  open(): number;
  close(): void;
}

const keyOf = ({ sid, part }: { readonly sid: string; readonly part: number }) => `${sid}/${part}`;

/**
 * Brings orders to members: at once whatever this hub has changed; at the leader also what others
 * changed, and again, with growing waits, what a member has not carried out.
 */
export function createOrderPusher(options: OrderPusherOptions): LiveOrderPusher {
  const { index, presence, messenger, leadership, vouchers, clock, logger, onApplied } = options;
  /** By member, then by part: what it has not said to have carried out. */
  const open = new Map<string, Map<string, Open>>();
  /** Members that are being told, so that each is told one thing after the other. */
  const telling = new Set<string>();
  let isClosed = false;

  const note = (mid: string, order: PartOrder, isOwn = index.isOwnWrite): boolean => {
    const report = presence.reportOf(mid, order.sid, order.part);
    const own = open.get(mid) ?? new Map<string, Open>();
    if (isSettled(order, report)) {
      own.delete(keyOf(order));
      if (own.size === 0) open.delete(mid);
      return false;
    }
    const known = own.get(keyOf(order));
    if (known !== undefined && known.order.rev >= order.rev) return false;
    open.set(mid, own.set(keyOf(order), { order, isOwn, failures: 0, tries: 0, nextAt: 0 }));
    return true;
  };

  const noteAll = (mid: string) => {
    for (const order of ordersFor(mid, index)) note(mid, order);
  };

  /** Parts that a member says to run, which have another owner. */
  const noteStrays = (mid: string) => {
    for (const { sid, part, outcome } of presence.reportsOf(mid)) {
      const stored = index.services.get(sid);
      const record = stored?.value.parts[part];
      if (stored === undefined || record === undefined || outcome === "released") continue;
      if (orderFor(mid, sid, stored, part) !== undefined) continue;
      note(mid, goneOrder(sid, stored, part, stored.revision, record.epoch, false));
    }
  };

  const isMine = ({ isOwn }: Open) => isOwn || leadership.isLeading();

  const tell = (mid: string) => {
    const own = open.get(mid);
    if (own === undefined || telling.has(mid) || isClosed) return;
    const { status, session } = presence.facts(mid);
    if (session === undefined || status === "lost") return;
    const now = clock.monotonic();
    const due = [...own.values()]
      .filter((each) => each.nextAt <= now && each.failures < MAX_FAILURES && isMine(each))
      .slice(0, MAX_ORDERS);
    if (due.length === 0) return;
    for (const each of due) {
      const wait = Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** each.tries);
      each.tries += 1;
      each.nextAt = now + Math.max(GRACE_MS, wait);
    }
    telling.add(mid);
    const orders = due.map(({ order }) => vouchers.order(mid, order));
    const told = messenger.apply(mid, { orders }).then(
      ({ reports }) => {
        presence.reported(mid, reports);
        onApplied(mid, reports);
      },
      (error: unknown) => {
        logger.debug({ mid, error: String(error) }, "orders did not reach a member");
      },
    );
    void told.finally(() => {
      telling.delete(mid);
      // What came in while it was being told.
      const added = [...(open.get(mid)?.values() ?? [])].some(({ tries }) => tries === 0);
      if (added) tell(mid);
    });
  };

  const reported = (mid: string, report: PartReport) => {
    const own = open.get(mid);
    const waiting = own?.get(keyOf(report));
    if (own === undefined || waiting === undefined) return;
    if (isSettled(waiting.order, report)) {
      own.delete(keyOf(report));
      if (own.size === 0) open.delete(mid);
    } else if (isFailure(waiting.order, report) && waiting.failures < waiting.tries) {
      // The same failure may be told twice, by its answer and in a sync.
      waiting.failures += 1;
      waiting.nextAt =
        clock.monotonic() + Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** waiting.failures);
      if (waiting.failures === MAX_FAILURES) {
        const { sid, part, reason } = report;
        logger.warn({ mid, sid, part, reason }, "a part failed too often and is left alone");
      }
    }
  };

  const stops = [
    index.onService((sid, now, before, revision) => {
      const affected = new Set<string>();
      // The store has lost it: nobody is told anything, and what comes next may have lower revisions.
      if (revision === undefined) {
        for (const [mid, own] of [...open]) {
          for (const { order } of [...own.values()])
            if (order.sid === sid) own.delete(keyOf(order));
          if (own.size === 0) open.delete(mid);
        }
      }
      for (const [part, record] of before?.value.parts.entries() ?? []) {
        const next = now?.value.parts[part];
        for (const mid of [record.owner, record.from]) {
          if (mid === null || revision === undefined) continue;
          const isStill = next?.owner === mid || (next?.owner === null && next.from === mid);
          if (isStill || before === undefined) continue;
          const report = presence.reportOf(mid, sid, part);
          if (report?.outcome === "released" && report.epoch >= record.epoch) continue;
          const epoch = next?.epoch ?? record.epoch;
          // Nobody gets it, and nobody waits for its word: that member is about to leave.
          const keep = next?.owner === null && next.from === null;
          if (note(mid, goneOrder(sid, before, part, revision, epoch, keep))) affected.add(mid);
        }
      }
      for (const [part, { owner, from }] of now?.value.parts.entries() ?? []) {
        for (const mid of [owner, owner === null ? from : null]) {
          const order =
            mid === null || now === undefined ? undefined : orderFor(mid, sid, now, part);
          if (mid !== null && order !== undefined && note(mid, order)) affected.add(mid);
        }
      }
      for (const mid of affected) tell(mid);
    }),
    index.onMember((mid, now) => {
      if (now === undefined || now.value.evicted) open.delete(mid);
    }),
    presence.onReport(reported),
    presence.onSync((mid) => {
      // It has been given the full set: what it lacks it learns there, what is too much it drops.
      const before = open.get(mid);
      open.delete(mid);
      noteAll(mid);
      // But by a hub that may have been behind this one: what is not its any more it is told all the same.
      for (const { order } of before?.values() ?? []) if (order.gone) note(mid, order);
      noteStrays(mid);
      const later = clock.monotonic() + GRACE_MS;
      for (const [key, each] of open.get(mid) ?? []) {
        const known = before?.get(key);
        if (known?.order.rev === each.order.rev) each.failures = known.failures;
        each.nextAt = later;
      }
    }),
    leadership.onChange((leading) => {
      if (leading) for (const mid of index.members.keys()) noteAll(mid);
    }),
  ];

  let stopTick = (): void => undefined;
  const tick = () => {
    if (leadership.isLeading()) for (const mid of [...open.keys()]) tell(mid);
    stopTick = clock.after(TICK_MS, tick);
  };
  stopTick = clock.after(TICK_MS, tick);

  const stateOf = (sid: string, part: number, revision: number) => {
    const report = presence.report(sid, part);
    if (report === undefined || report.rev < revision) return PENDING;
    if (report.outcome === "failed") return { state: "failed", reason: report.reason } as const;
    return report.outcome === "applied" ? APPLIED : PENDING;
  };

  return {
    push: (sid) => {
      const stored = index.services.get(sid);
      for (const [part, { owner, from }] of stored?.value.parts.entries() ?? []) {
        const mid = owner ?? from;
        const order =
          mid === null || stored === undefined ? undefined : orderFor(mid, sid, stored, part);
        if (mid === null || order === undefined) continue;
        note(mid, order, true);
        const waiting = open.get(mid)?.get(keyOf(order));
        if (waiting !== undefined) {
          waiting.isOwn = true;
          waiting.nextAt = 0;
        }
        tell(mid);
      }
    },
    settled: (sid, revision, timeoutMs) =>
      new Promise((resolve) => {
        const parts = index.services.get(sid)?.value.parts.length ?? 0;
        const states = () =>
          Array.from({ length: parts }, (_, part) => stateOf(sid, part, revision));
        const isOver = () => states().every(({ state }) => state !== "pending");
        if (isOver() || isClosed) {
          resolve(states());
          return;
        }
        const end = () => {
          stop();
          unlisten();
          resolve(states());
        };
        const stop = clock.after(timeoutMs, end);
        const unlisten = presence.onReport((_, report) => {
          if (report.sid === sid && isOver()) end();
        });
      }),
    open: () => [...open.values()].reduce((sum, own) => sum + own.size, 0),
    close: () => {
      isClosed = true;
      stopTick();
      for (const stop of stops) stop();
    },
  };
}

const PENDING = { state: "pending", reason: "" } as const;
const APPLIED = { state: "applied", reason: "" } as const;
