import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { HUB_ITSELF } from "../access/auditor.ts";
import type { Stored } from "../store/fleet-store.ts";
import { type Failures, hasMade } from "./failures.ts";
import { handOver } from "./hand-over.ts";
import type { LeaseBook } from "./lease-book.ts";
import { hasLetGo, isUnsettled, nextStep, type Step, type StepFacts } from "./part-steps.ts";
import type { ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";
import type { Silence } from "./silence.ts";

/** Between two looks at services that wait for time to pass, ms. */
const TICK_MS = 500;
/** A new pair of which one half does not run after this is taken back, ms. */
export const WHOLE_WITHIN_MS = 20_000;

/** Brings services from one settled state to the next: the leader all, any hub those of its callers. */
export interface Reconciler {
  /**
   * Takes a service's steps here too, and resolves when it is settled or gone, or after the time.
   *
   * @param forced members whose word is not waited for
   */
  drive(sid: string, timeoutMs: number, forced?: ReadonlySet<string>): Promise<void>;
  start(): void;
  close(): void;
}

/** What a service that is not settled waits for, at this hub. */
interface Waiting {
  /** Since when this hub has known that it is not settled, monotonic, ms. */
  readonly since: number;
  busy: boolean;
  /** Something was heard meanwhile. */
  again: boolean;
}

/** One call of `drive`. */
interface Drive {
  readonly sid: string;
  readonly forced: ReadonlySet<string>;
  end(): void;
}

export function createReconciler(
  parts: ServiceParts,
  writer: ServiceWriter,
  leases: Pick<LeaseBook, "isLapsed" | "isLeased" | "isForgettable">,
  silence: Silence,
  failures: Failures,
): Reconciler {
  const { index, presence, leadership, clock, logger } = parts;
  const waiting = new Map<string, Waiting>();
  const drives = new Set<Drive>();
  const stops: (() => void)[] = [];
  let stopTick: (() => void) | undefined;

  const drivesOf = (sid: string) => [...drives].filter((drive) => drive.sid === sid);

  const factsOf = (sid: string, { value: record }: Stored<ServiceRecord>): StepFacts => {
    const forced = new Set(drivesOf(sid).flatMap((drive) => [...drive.forced]));
    const ttlMs = record.policy.ttl * 1000;
    return {
      report: (mid, part) => presence.reportOf(mid, sid, part),
      hasFailed: (mid, at) => {
        const part = record.parts[at];
        return part !== undefined && failures.hasFailed(mid, sid, at, part);
      },
      isSilent: (mid) => forced.has(mid) || silence.isSilent(mid, ttlMs),
      isThere: (mid) => presence.facts(mid).status === "online" && isMember(mid),
      isLapsed: (mid, part) => leases.isLapsed(mid, sid, part, ttlMs),
      isLeased: (mid, at) => leases.isLeased(mid, sid, at, record.parts[at]?.epoch ?? 0),
      isForgettable: (mid, part) => leases.isForgettable(mid, sid, part, ttlMs),
      handOver: (before, part, to) => handOver(before, part, to, index.members),
    };
  };

  const isMember = (mid: string) => index.members.get(mid)?.value.evicted === false;

  /** Steps that only say what is known are written together with the next. */
  const stepsOf = (sid: string, stored: Stored<ServiceRecord>): Step | undefined => {
    const facts = factsOf(sid, stored);
    let step: Step | undefined;
    for (let next = nextStep(stored.value, facts); next !== undefined; ) {
      step = next;
      if (next.what !== "settled") break;
      next = nextStep(next.record, facts);
    }
    return step;
  };

  const note = (sid: string, stored: Stored<ServiceRecord> | undefined) => {
    if (stored === undefined || !needsSteps(stored.value)) {
      waiting.delete(sid);
      for (const drive of drivesOf(sid)) drive.end();
      return;
    }
    if (!waiting.has(sid))
      waiting.set(sid, { since: clock.monotonic(), busy: false, again: false });
  };

  const run = async (sid: string) => {
    const state = waiting.get(sid);
    if (state === undefined) return;
    state.again = true;
    if (state.busy) return;
    state.busy = true;
    try {
      while (state.again) {
        state.again = false;
        if (!leadership.isLeading() && drivesOf(sid).length === 0) return;
        const stored = index.services.get(sid);
        if (stored === undefined || !needsSteps(stored.value)) return;
        if (await takeStep(sid, stored, state)) state.again = true;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ sid, reason }, "a step of a service could not be written, tried again");
    } finally {
      state.busy = false;
    }
  };

  /** @returns whether something was written, so that there may be more to do */
  const takeStep = async (sid: string, stored: Stored<ServiceRecord>, state: Waiting) => {
    const { value: record, revision } = stored;
    if (record.detached) {
      if (!isLeftByAll(sid, record)) return false;
      await writer.remove(sid, revision);
      return true;
    }
    const broken = leadership.isLeading() ? brokenPair(sid, record, state) : undefined;
    if (broken !== undefined) {
      const action = "service.remove";
      const detail = `new pair ${record.alias} is taken back: ${broken}`;
      await parts.audit.changing(
        HUB_ITSELF,
        { action, object: sid, before: revision, detail },
        () => writer.remove(sid, revision),
      );
      logger.warn({ sid, reason: broken }, "a new pair was not whole and was taken back");
      return true;
    }
    const step = stepsOf(sid, stored);
    if (step === undefined) return false;
    const written = await writer.replace(sid, step.record, revision);
    if (written === undefined) return false;
    logger.info({ sid, part: step.part, step: step.what }, "a service's part took a step");
    return true;
  };

  /** Whether all who had parts of a detached service have let go of them. */
  const isLeftByAll = (sid: string, record: ServiceRecord) =>
    record.parts.every((part, at) =>
      [part.owner, part.from].every(
        (mid) => mid === null || !isMember(mid) || hasLetGo(presence.reportOf(mid, sid, at), part),
      ),
    );

  /** Why a new pair can't become whole. */
  const brokenPair = (sid: string, record: ServiceRecord, { since }: Waiting) => {
    for (const [at, part] of record.parts.entries()) {
      if (!isNew(part)) continue;
      const said = presence.reportOf(part.owner, sid, at);
      if (failures.hasFailed(part.owner, sid, at, part)) return said?.reason ?? "";
      const late = clock.monotonic() - since > WHOLE_WITHIN_MS && !hasMade(said, part);
      if (late) return `its ${part.role} did not run within ${WHOLE_WITHIN_MS / 1000} s`;
    }
    return undefined;
  };

  const runAll = () => {
    for (const sid of waiting.keys()) void run(sid);
  };
  const tick = () => {
    runAll();
    stopTick = clock.after(TICK_MS, tick);
  };

  return {
    drive: (sid, timeoutMs, forced = new Set()) =>
      new Promise((resolve) => {
        const drive: Drive = {
          sid,
          forced,
          end: () => {
            stopTimer();
            drives.delete(drive);
            resolve();
          },
        };
        const stopTimer = clock.after(timeoutMs, drive.end);
        drives.add(drive);
        note(sid, index.services.get(sid));
        void run(sid);
      }),
    start: () => {
      for (const [sid, stored] of index.services) note(sid, stored);
      stops.push(
        index.onService((sid, now) => {
          note(sid, now);
          void run(sid);
        }),
        presence.onReport((_mid, { sid }) => void run(sid)),
        presence.onStatus(runAll),
        leadership.onChange((leads) => {
          if (leads) runAll();
        }),
      );
      tick();
    },
    close: () => {
      stopTick?.();
      for (const stop of stops.splice(0)) stop();
      for (const drive of drives) drive.end();
      waiting.clear();
    },
  };
}

function needsSteps(record: ServiceRecord): boolean {
  return record.detached || record.parts.some(isUnsettled);
}

/** A half of a new pair that has not said yet that it runs. */
export function isNew<Part extends ServiceRecord["parts"][number]>(
  part: Part,
): part is Part & { owner: string } {
  return part.owner !== null && part.from === null && part.to === part.owner;
}
