import {
  type EventHub,
  type Instance,
  type InstanceEvent,
  type InstanceOrigin,
  type InstanceRecord,
  type LogFields,
  type LogLineLevel,
  NO_TOTALS,
  ServiceError,
  TOTAL_NAMES,
  totalsOf,
} from "@nodepass/model";
import type { UrlProblem } from "@nodepass/url-config";
import {
  type AddressBook,
  type ClaimedAddress,
  heldAddresses,
  wantedAddresses,
} from "./address-book.ts";
import type { HistoryKeeper } from "./history/history-keeper.ts";
import { InstanceFeed } from "./instance-feed.ts";
import { InstanceLog } from "./instance-log.ts";
import type { ChangeOptions, InstanceDetails } from "./instance-manager.ts";
import { type InstanceUrl, readInstanceUrl, tunnelSpec } from "./instance-url.ts";
import { viewInstance } from "./instance-view.ts";
import { isLogged } from "./log-threshold.ts";
import type { ResolvedManagerOptions } from "./manager-options.ts";
import { OperationQueue } from "./operation-queue.ts";
import { keepToQuota } from "./quota/keep-to-quota.ts";
import { QuotaMeter } from "./quota/quota-meter.ts";
import type { ReportWheel } from "./report-wheel.ts";
import { TunnelLife, type TunnelLifeHooks } from "./tunnel-life.ts";
import type { WorkerPool } from "./workers/worker-pool.ts";

/** What all instances of a manager share. */
export interface InstanceSurroundings {
  readonly options: ResolvedManagerOptions;
  readonly pool: WorkerPool;
  readonly book: AddressBook;
  readonly wheel: ReportWheel<ManagedInstance>;
  readonly hub: EventHub<InstanceEvent>;
  readonly history: HistoryKeeper;
  /** Counters changed: have them saved when it suits. */
  saveSoon(): void;
}

/** One instance: what is kept of it, what it does now, and what subscribers are told of it. */
export class ManagedInstance {
  /** As it is saved; counters and fields change in place. */
  readonly record: InstanceRecord;
  readonly operations: OperationQueue;
  readonly life: TunnelLife;
  /** Its last lines. */
  readonly lines = new InstanceLog();
  /** Taken out of the state; operations that still wait find it gone. */
  removed = false;
  readonly #feed: InstanceFeed;
  readonly #surroundings: InstanceSurroundings;
  /** What is shown; while a URL is being replaced, the record has the new one already. */
  #shown: Pick<InstanceRecord, "url" | "type">;
  #url: InstanceUrl | undefined;
  /** Stay its own between a stop and the start that follows. */
  #kept: readonly ClaimedAddress[] = [];
  #problem = "";
  #origin: InstanceOrigin | undefined;
  #manager: string | undefined;
  #quota: QuotaMeter | undefined;
  #view: Instance | undefined;

  constructor(record: InstanceRecord, surroundings: InstanceSurroundings) {
    this.record = record;
    this.#shown = { url: record.url, type: record.type };
    this.#surroundings = surroundings;
    this.operations = new OperationQueue(surroundings.options.maxPendingOperations);
    this.#feed = new InstanceFeed(surroundings.hub, () => this.view);
    this.life = new TunnelLife(surroundings.pool, this.#hooks(), surroundings.options.now);
  }

  /** The instance as it is now. */
  get view(): Instance {
    this.#view ??= viewInstance({
      record: this.record,
      shown: this.#shown,
      life: this.life,
      url: this.#url,
      quota: this.#quota,
      origin: this.#origin,
    });
    return this.#view;
  }

  get details(): InstanceDetails {
    const { reason, failedStarts, workerCrashes, live } = this.life;
    const { tunnelAddress, entryAddress } = live;
    return { reason, failedStarts, workerCrashes, tunnelAddress, entryAddress };
  }

  /** The file that describes it, if one does. */
  get origin(): InstanceOrigin | undefined {
    return this.#origin;
  }

  setOrigin(origin: InstanceOrigin | undefined): void {
    if (origin?.file === this.#origin?.file && origin?.name === this.#origin?.name) return;
    this.#origin = origin;
    this.#view = undefined;
    this.tell(false);
  }

  /** Who manages it, if somebody does: nobody else may change what it runs. */
  setManager(manager: string | undefined): void {
    this.#manager = manager;
  }

  /** @throws {ServiceError} `CONFLICT` if somebody else manages it */
  assertManagedBy({ byManager = false }: ChangeOptions): void {
    if (this.#manager === undefined || byManager) return;
    const message = `managed by ${this.#manager}; change it there or detach it`;
    throw new ServiceError("CONFLICT", message);
  }

  /** What was overlooked in the URL, for people. */
  get warnings(): readonly string[] {
    return (this.#url?.warnings ?? []).map(({ message }) => message);
  }

  /** What the URL means; `undefined` if it cannot be read any more. */
  get spec(): InstanceUrl["settings"] | undefined {
    return this.#url?.settings;
  }

  /** Takes over a URL that has been read, and says what is new to say of it. */
  setUrl(text: string, url: InstanceUrl): void {
    const known = this.warnings;
    this.#take(text, url);
    this.#warn(url.warnings.filter(({ message }) => !known.includes(message)));
  }

  #take(text: string, url: InstanceUrl): void {
    this.record.url = text;
    this.record.type = url.settings.scheme;
    this.#shown = { url: text, type: url.settings.scheme };
    this.#url = url;
    this.#view = undefined;
    this.#setQuota(url.settings);
  }

  #warn(warnings: readonly UrlProblem[]): void {
    for (const { code, message: problem } of warnings) {
      const what = code === "NO_EFFECT" ? "without effect" : "overlooked";
      this.log("warn", `part of the URL ${what}`, { problem });
    }
  }

  #setQuota({ quota, quotaDay }: InstanceUrl["settings"]): void {
    if (quota === undefined) {
      this.#quota?.end();
      this.#quota = undefined;
      return;
    }
    if (this.#quota !== undefined) this.#quota.change({ quota, quotaDay });
    else {
      const told = (): void => {
        this.#view = undefined;
        this.tell(true);
        this.#surroundings.saveSoon();
      };
      this.#quota = new QuotaMeter(
        { quota, quotaDay },
        this.record.quota,
        keepToQuota(this, () => this.#quota, told),
        this.#surroundings.options.now,
      );
    }
    this.record.quota = this.#quota.record;
    if (this.life.isActive) this.#quota.begin();
  }

  /** Reads the saved URL, which an earlier version may have understood better. */
  readSavedUrl(): void {
    try {
      const { masterDefaults } = this.#surroundings.options;
      const url = readInstanceUrl(this.record.url, masterDefaults);
      this.#take(this.record.url, url);
      // What has no effect was said when the URL came.
      this.#warn(url.warnings.filter(({ code }) => code !== "NO_EFFECT"));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#problem = error.message;
    }
  }

  /** Changes fields that the tunnel knows nothing of. @returns how to undo that */
  apply(
    fields: Partial<Pick<InstanceRecord, "alias" | "restart" | "running" | "meta">>,
  ): () => void {
    const { alias, restart, running, meta } = this.record;
    Object.assign(this.record, fields);
    this.#view = undefined;
    return () => {
      Object.assign(this.record, { alias, restart, running, meta });
      this.#view = undefined;
    };
  }

  /** Sets the traffic counters to zero. @returns how to undo that */
  resetTraffic(): () => void {
    const { record } = this;
    const before = totalsOf((name) => record[name]);
    Object.assign(record, NO_TOTALS);
    this.#view = undefined;
    return () => {
      for (const name of TOTAL_NAMES) record[name] += before[name];
      this.#view = undefined;
    };
  }

  /**
   * Takes the addresses that it is sure to bind, beside those that it holds.
   * @throws {ServiceError} `CONFLICT` if a running instance holds one of them
   */
  claimAddresses(url: InstanceUrl | undefined = this.#url): void {
    const { book } = this.#surroundings;
    const { id } = this.record;
    const wanted = url === undefined ? [] : wantedAddresses(url.settings);
    book.assertFree(id, wanted);
    book.claim(id, [...this.#held(), ...wanted]);
  }

  /** What was claimed is not needed after all. */
  releaseClaims(): void {
    this.#claimHeld();
  }

  /** Starts the tunnel; `life` tells what becomes of it. */
  begin(): void {
    const { book, wheel } = this.#surroundings;
    const url = this.#url;
    this.#kept = [];
    if (url === undefined) {
      this.log("error", "instance cannot start", { reason: this.#problem });
      this.life.refuse(this.#problem);
      return;
    }
    this.#quota?.begin();
    const usedUp = this.#quota?.usedUp;
    if (usedUp !== undefined) {
      this.log("warn", "instance does not start", { reason: usedUp });
      this.life.rest(usedUp);
      return;
    }
    if (!this.life.isActive) book.claim(this.record.id, wantedAddresses(url.settings));
    wheel.add(this);
    this.#surroundings.history.begin(this.record.id, () => this.view);
    this.life.begin(tunnelSpec(url.settings));
  }

  /** Stops the tunnel; resolves when it is really stopped. */
  async end(timeoutMs: number, reason?: string): Promise<void> {
    // One that waits for its quota begins again with it.
    if (reason === undefined) this.#quota?.end();
    await this.life.end(timeoutMs, reason);
    this.#rested();
  }

  /** Nothing of it is reported any more. */
  #rested(): void {
    this.#surroundings.wheel.delete(this);
    // Nobody waits for a chart to be on disk.
    void this.#surroundings.history.end(this.record.id);
  }

  /** The master closes: nothing begins by itself any more. */
  retire(): void {
    this.#quota?.end();
  }

  /** The same for a start that follows: what `url` is sure to bind is given to nobody else until then. */
  endForStart(timeoutMs: number, url: InstanceUrl | undefined = this.#url): Promise<void> {
    this.#kept = url === undefined ? [] : wantedAddresses(url.settings);
    this.#claimHeld();
    return this.end(timeoutMs);
  }

  /** Tells subscribers that there is this instance now, and what it has logged so far. */
  announce(): void {
    this.#feed.announce();
  }

  /** It was there before anybody subscribed. */
  setAnnounced(): void {
    this.#feed.setAnnounced();
  }

  /** Tells subscribers its state. @param always also if that is what they were told last */
  tell(always: boolean): void {
    if (!this.removed) this.#feed.tell(always);
  }

  /** Writes a line of its log, if its level lets it through. */
  log(level: LogLineLevel, message: string, fields: LogFields, time?: number): void {
    const { options } = this.#surroundings;
    if (!isLogged(level, this.#url?.settings.log ?? options.masterDefaults.log ?? "info")) return;
    options.logger[level]({ instance: this.record.id, ...fields }, message);
    if (this.removed) return;
    const at = time ?? options.now();
    const line = options.formatLog({ time: new Date(at), level, message, fields });
    this.lines.push(at, level, line);
    this.#feed.line(line);
  }

  #claimHeld(): void {
    this.#surroundings.book.claim(this.record.id, [...this.#held(), ...this.#kept]);
  }

  #held(): ClaimedAddress[] {
    const settings = this.#url?.settings;
    if (settings === undefined) return [];
    const { tunnelAddress, entryAddress } = this.life.live;
    return heldAddresses(settings, tunnelAddress, entryAddress);
  }

  #hooks(): TunnelLifeHooks {
    return {
      onChange: (told) => {
        this.#view = undefined;
        if (told) this.tell(false);
      },
      onAddresses: () => this.#claimHeld(),
      onTimeOver: () => {
        this.log("warn", "instance stops: its time to serve is over", {});
        this.#rested();
      },
      onTotals: (more) => {
        for (const name of TOTAL_NAMES) this.record[name] += more[name];
        this.#quota?.add(more.tcprx + more.tcptx + more.udprx + more.udptx);
        this.#surroundings.saveSoon();
      },
      onLog: ({ level, message, fields, time }) => this.log(level, message, fields, time),
    };
  }
}
