import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { PartKey, PartOrder, PartReport, Synced } from "@nodepass/fleet-protocol";
import { type InstanceManager, monotonicMs } from "@nodepass/instances";
import type { Logger } from "@nodepass/model";
import type { PartEntry } from "../file/fleet-file.ts";
import type { GrantedLease } from "./leases.ts";
import { OwedWork } from "./owed-work.ts";
import { keyOf, type PartBook } from "./part-book.ts";
import { failureOf, reportOf } from "./part-report.ts";
import { type Bringing, PartRunner } from "./part-runner.ts";
import type { Preparing } from "./preparing.ts";
import { ReportTeller } from "./report-teller.ts";

/** So often a record is tried; then it has failed until it is changed. */
export const MAX_TRIES = 5;
const FIRST_RETRY_MS = 250;
/** An answer to orders waits so long for what they make; the rest is told later, ms. */
const ANSWER_LIMIT_MS = 5000;

/** What the keeper of a member's parts works on. */
export interface PartKeeperOptions {
  readonly book: PartBook;
  readonly instances: InstanceManager;
  readonly preparing: Pick<Preparing, "refusal">;
  readonly logger: Logger;
  /** What became of parts, whenever that changes. */
  tell(reports: readonly PartReport[]): void;
  /** A part can't go on without a lease. */
  onLeaseWanted(): void;
}

/**
 * Makes this member run what the fleet says, and nothing else of its instances. Orders for one part come
 * one after the other, those for different ones at once.
 */
export class PartKeeper {
  readonly #options: PartKeeperOptions;
  readonly #book: PartBook;
  readonly #runner: PartRunner;
  /** What is being done for each part, the last of it. */
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #teller: ReportTeller;
  /** Until when strict parts may serve here, by `monotonicMs`. */
  readonly #until = new Map<string, number>();
  /** What waits until something can be saved here again: by part, and of the book itself. */
  readonly #owed = new OwedWork();
  readonly #closing = new AbortController();
  #unsubscribe: (() => void) | undefined;

  constructor(options: PartKeeperOptions) {
    this.#options = options;
    this.#book = options.book;
    this.#teller = new ReportTeller((reports) => options.tell(reports));
    this.#runner = new PartRunner(options.instances);
    for (const { instance } of this.#book.entries) {
      if (instance !== null) this.#runner.mark(instance);
    }
    if (this.#book.entries.length > 0) this.#listen();
  }

  /** Of all parts, as they are now. */
  async reports(): Promise<PartReport[]> {
    return Promise.all(this.#book.entries.map((entry) => this.#report(entry)));
  }

  /** Parts that do not run as their records say. */
  async drift(): Promise<number> {
    const reports = await this.reports();
    return reports.filter(
      (one) => one.outcome === "failed" || one.running !== this.#book.get(one)?.running,
    ).length;
  }

  /** The local instance of a part. */
  instanceOf(key: PartKey): string | undefined {
    return this.#book.get(key)?.instance ?? undefined;
  }

  /** Does what the orders say. @returns what became of those that were done at once; never rejects */
  async apply(orders: readonly PartOrder[]): Promise<PartReport[]> {
    const done: PartReport[] = [];
    const all = Promise.all(
      orders.map(async (order) => {
        const report = await this.#enqueue(order, () => this.#obey(order));
        done.push(report);
      }),
    );
    await Promise.race([
      all,
      delay(ANSWER_LIMIT_MS, undefined, { signal: this.#closing.signal, ref: false }),
    ]).catch(() => undefined);
    return done.slice();
  }

  /**
   * The full set. Parts that it does not name are given up only if it is surely not older than what is
   * known; section 7, rule 7 of the fleet's design.
   */
  async applySet(set: Extract<Synced, { answer: "set" }>): Promise<void> {
    const book = this.#book;
    const isFirst = book.knownBucket === "";
    const isKnown = isFirst || book.knownBucket === set.bucket;
    book.bucket = set.bucket;
    const named = new Set(set.orders.map(keyOf));
    const unnamed = book.entries.filter((entry) => !named.has(keyOf(entry)));
    // Another one that knows all that runs here was made of what was known: it is the fleet's now.
    if (isFirst || (!isKnown && unnamed.length === 0)) book.adoptBucket();
    book.see(set.revision, set.seen);
    const applying = this.apply(set.orders);
    if (unnamed.length > 0) {
      if (isKnown && set.revision >= book.revision) {
        for (const { sid, part, epoch } of unnamed) {
          const gone = { sid, part, epoch, rev: set.revision, keep: false };
          void this.#enqueue(gone, () => this.#giveUp(gone));
        }
      } else {
        const fields = { parts: unnamed.length, revision: set.revision, known: book.revision };
        this.#options.logger.warn(fields, "fleet: its store is older or another: parts go on");
      }
    }
    await applying;
    await this.#save();
  }

  /** A strict part may serve for longer; if it is to run, it does. Section 7, rule 5. */
  lease({ sid, part, epoch, until }: GrantedLease): void {
    const entry = this.#book.get({ sid, part });
    if (entry?.strict !== true || entry.epoch !== epoch || entry.instance === null) return;
    if (until <= (this.#until.get(keyOf(entry)) ?? 0)) return;
    this.#serveUntil(entry, until);
    void this.#startLeased(entry).catch((error: unknown) => {
      const fields = { sid, part, reason: failureOf(error).message };
      this.#options.logger.warn(fields, "fleet: part not started by its lease");
    });
  }

  /** Strict parts stop now, before anything else: this process has lost its seat. */
  stopStrict(): void {
    for (const entry of this.#book.entries) {
      if (entry.strict) this.#runner.stop(entry).catch(() => undefined);
    }
  }

  /** All that the fleet runs here is this master's own from now on. */
  release(): void {
    for (const { instance } of this.#book.entries) {
      if (instance !== null) this.#runner.unmark(instance);
    }
  }

  /** Nothing is begun any more. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#owed.close();
    this.#unsubscribe?.();
    this.#teller.close();
  }

  async #startLeased(entry: PartEntry): Promise<void> {
    const { instance, epoch } = entry;
    if (instance === null || !entry.running) return;
    if ((await this.#options.instances.get(instance))?.status !== "stopped") return;
    await this.#enqueue(entry, async () => {
      const until = this.#until.get(keyOf(entry)) ?? 0;
      // What has been ordered meanwhile counts.
      const isStill = this.#book.get(entry) === entry && entry.epoch === epoch && entry.strict;
      if (!isStill || !entry.running || monotonicMs() >= until) return;
      await this.#runner.start(entry);
      await this.#tellNow(entry);
    });
  }

  #serveUntil(entry: PartEntry, until: number | undefined): void {
    const key = keyOf(entry);
    if (until === undefined) this.#until.delete(key);
    else this.#until.set(key, until);
    if (entry.instance !== null) this.#options.instances.serveUntil(entry.instance, until);
  }

  /**
   * What becomes strict while it runs goes on for its TTL, in which the leader hears of it and gives a
   * lease; a shorter TTL shortens the lease that is there. What is not strict any more has no end.
   */
  #bound(entry: PartEntry, wasStrict: boolean): void {
    if (!entry.strict) {
      if (wasStrict) this.#serveUntil(entry, undefined);
      return;
    }
    const longest = monotonicMs() + entry.ttlMs;
    const now = this.#until.get(keyOf(entry));
    if (!wasStrict || (now !== undefined && now > longest)) this.#serveUntil(entry, longest);
    this.#options.onLeaseWanted();
  }

  /** From the first part on: events of instances cost something. */
  #listen(): void {
    this.#unsubscribe ??= this.#options.instances.subscribe((event) => {
      if (event.type !== "update") return;
      const entry = this.#book.find(event.instance.id);
      // While it is being made so, what it is in between is nobody's business.
      if (entry !== undefined && !this.#queues.has(keyOf(entry))) {
        this.#teller.note(reportOf(entry, event.instance));
      }
    });
  }

  #enqueue<T>(key: PartKey, task: () => Promise<T>): Promise<T> {
    const name = keyOf(key);
    const before = this.#queues.get(name) ?? Promise.resolve();
    const running = before.then(task, task);
    this.#queues.set(name, running);
    const after = (): void => {
      if (this.#queues.get(name) === running) this.#queues.delete(name);
    };
    running.then(after, after);
    return running;
  }

  async #obey(order: PartOrder): Promise<PartReport> {
    const book = this.#book;
    if (!book.isNew(order)) {
      const known = book.get(order);
      book.keepProof(order);
      if (known === undefined) return this.#released(order, book.carriedBy(order));
      const naming = known.reason !== "";
      const isOver = naming && known.tries >= MAX_TRIES;
      if (known.rev === order.rev && !isOver) {
        await this.#bring(known, { adopt: order.adopt, naming });
      }
      return this.#tellNow(known);
    }
    this.#owed.settle(keyOf(order));
    if (order.gone) {
      book.see(order.rev, order.seen);
      return this.#giveUp(order);
    }
    const before = book.get(order);
    const isNamed =
      before !== undefined &&
      before.alias === order.alias &&
      isDeepStrictEqual(before.tags, order.tags);
    const wasStrict = before?.strict ?? order.strict;
    const entry = book.take(order);
    this.#listen();
    this.#bound(entry, wasStrict);
    await this.#bring(entry, { adopt: order.adopt, naming: !isNamed });
    if (entry.strict) this.#options.onLeaseWanted();
    return this.#tellNow(entry);
  }

  /**
   * Tries, at most so often, until it is so or another try is in vain. While nothing can be saved nothing is
   * begun: the next start would not know of it. That is no fault of the record, and tried again.
   */
  async #bring(
    entry: PartEntry,
    how: Pick<Bringing, "adopt" | "naming">,
    most = MAX_TRIES,
  ): Promise<void> {
    const { rev, bucket } = entry;
    const { signal } = this.#closing;
    const isStill = () => entry.rev === rev && entry.bucket === bucket;
    for (let tried = 1; ; tried += 1) {
      let isOurs = false;
      try {
        await this.#book.save();
        await this.#runner.bring(entry, {
          ...how,
          leased: this.#until.has(keyOf(entry)),
          refusal: (settings) => this.#options.preparing.refusal(settings),
          isTaken: (id) => this.#book.find(id) !== undefined,
          save: () => this.#book.save(),
        });
        if (entry.tries > 0 || entry.reason !== "") {
          entry.tries = 0;
          entry.reason = "";
          await this.#book.save();
        }
        return;
      } catch (error) {
        const { message, ...failure } = failureOf(error);
        isOurs = failure.isOurs;
        entry.reason = message;
        const counted = Math.min(entry.tries + 1, isOurs ? MAX_TRIES - 1 : MAX_TRIES);
        entry.tries = failure.isFinal ? MAX_TRIES : counted;
        const { sid, part, tries } = entry;
        const fields = { sid, part, tries, reason: message };
        this.#options.logger.warn(fields, "fleet: part not as its record says");
        await this.#save();
      }
      // Aborted: the next start tries again.
      if (entry.tries >= MAX_TRIES || signal.aborted) return;
      if (isOurs && tried >= most) {
        this.#owed.owe(keyOf(entry), () =>
          this.#enqueue(entry, async () => {
            if (this.#book.get(entry) !== entry || !isStill()) return;
            await this.#bring(entry, how, 1);
            await this.#tellNow(entry);
          }),
        );
        return;
      }
      const wait = FIRST_RETRY_MS * 2 ** (entry.tries - 1);
      await delay(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || !isStill()) return;
    }
  }

  async #giveUp(
    order: PartKey & { readonly rev: number; readonly epoch: number; readonly keep: boolean },
  ): Promise<PartReport> {
    const { sid, part, rev, epoch, keep } = order;
    const entry = this.#book.get(order);
    this.#until.delete(keyOf(order));
    if (entry === undefined) {
      this.#book.drop(order, rev, epoch, this.#book.carriedBy(order));
      await this.#save();
      return this.#released(order, this.#book.carriedBy(order));
    }
    try {
      const carried = await this.#runner.giveUp(entry, keep);
      this.#book.drop({ sid, part }, rev, epoch, carried);
      await this.#save();
      return this.#released(order, carried);
    } catch (error) {
      const { message, isOurs } = failureOf(error);
      entry.reason = message;
      if (isOurs) {
        this.#owed.owe(keyOf(order), () =>
          this.#enqueue(order, async () => {
            // It may have been given back meanwhile.
            if ((this.#book.get(order)?.rev ?? rev) <= rev) await this.#giveUp(order);
          }),
        );
      }
      return this.#tellNow(entry);
    }
  }

  #released(
    { sid, part, rev, epoch }: PartKey & { readonly rev: number; readonly epoch: number },
    carried: PartReport["carried"],
  ): PartReport {
    const report: PartReport = {
      sid,
      part,
      rev,
      epoch,
      outcome: "released",
      reason: "",
      instance: null,
      running: false,
      carried,
    };
    this.#teller.noteAgain(report);
    return report;
  }

  async #tellNow(entry: PartEntry): Promise<PartReport> {
    const report = await this.#report(entry);
    this.#teller.note(report);
    return report;
  }

  async #report(entry: PartEntry): Promise<PartReport> {
    const { instance } = entry;
    return reportOf(
      entry,
      instance === null ? undefined : await this.#options.instances.get(instance),
    );
  }

  /** What can't wait for the disk is done; the file follows as soon as it can. */
  async #save(): Promise<void> {
    try {
      await this.#book.save();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.error({ reason }, "fleet: what runs here is not saved");
      this.#owed.owe("book", () => this.#save());
    }
  }
}
