import {
  type CreatedInstance,
  EventHub,
  type HistoryRange,
  type Instance,
  type InstanceBan,
  type InstanceChange,
  type InstanceEvent,
  type InstanceHistory,
  type InstanceLogs,
  type InstanceOrigin,
  type InstancePort,
  type InstanceRecord,
  type Latencies,
  type LogQuery,
  type NewInstance,
  NO_META,
  NO_TOTALS,
  type ReplacedInstance,
  ServiceError,
} from "@nodepass/model";
import type { MasterState } from "@nodepass/store";
import type { ClientSettings, ServerSettings } from "@nodepass/url-config";
import { AddressBook, wantedAddresses } from "./address-book.ts";
import { ChangeSignal } from "./change-signal.ts";
import { checkText } from "./check-change.ts";
import { HistoryKeeper } from "./history/history-keeper.ts";
import type {
  ChangeOptions,
  CreateOptions,
  InstanceDetails,
  InstanceManager,
  InstanceMetrics,
  ReplaceOptions,
} from "./instance-manager.ts";
import { InstanceOperations, notFound } from "./instance-operations.ts";
import { InstanceRegistry } from "./instance-registry.ts";
import { readInstanceUrl } from "./instance-url.ts";
import { ManagedInstance } from "./managed-instance.ts";
import {
  type InstanceManagerOptions,
  type ResolvedManagerOptions,
  resolveManagerOptions,
} from "./manager-options.ts";
import { MasterIdentity } from "./master-identity.ts";
import { assertOpen } from "./operation-queue.ts";
import { ReportWheel } from "./report-wheel.ts";
import { localThreads } from "./workers/local-threads.ts";
import type { StartThread } from "./workers/tunnel-thread.ts";
import { WorkerPool } from "./workers/worker-pool.ts";
import { workerThreads } from "./workers/worker-threads.ts";

/** What the service is given beside its options. */
export interface LocalInstancesParts {
  /** How threads are started; the options say how many at most, 0 as 1. */
  readonly startThread: StartThread;
}

/** Of the time for a graceful stop, the part that connections get to finish. */
const DRAIN_SHARE = 0.7;
/** Longest wait for what the threads have measured, ms. */
const MEASURE_LIMIT_MS = 1000;
/** No more than this much of it, ms, is kept for the rest. */
const MAX_RESERVE_MS = 1000;

/**
 * Makes the manager of a state's instances; none runs until `start()`.
 *
 * @throws {ServiceError} `INVALID_OPTIONS`
 */
export function createInstanceManager(options: InstanceManagerOptions): InstanceManager {
  const resolved = resolveManagerOptions(options);
  const { workers, workerHeapMiB: heapMiB, environment: limits } = resolved;
  const { counterIntervalMs, ways } = resolved;
  const settings = { limits, counterIntervalMs, ways };
  return new LocalInstances(resolved, {
    startThread: workers === 0 ? localThreads(settings) : workerThreads({ settings, heapMiB }),
  });
}

/** {@link createInstanceManager} over other threads, for tests. */
export function createInstanceManagerWith(
  options: InstanceManagerOptions,
  parts: LocalInstancesParts,
): InstanceManager {
  return new LocalInstances(resolveManagerOptions(options), parts);
}

/** The manager over a registry, a pool of threads and an event hub. */
class LocalInstances implements InstanceManager {
  readonly #options: ResolvedManagerOptions;
  readonly #state: MasterState;
  readonly #pool: WorkerPool;
  readonly #book = new AddressBook();
  readonly #hub: EventHub<InstanceEvent>;
  readonly #wheel: ReportWheel<ManagedInstance>;
  readonly #registry: InstanceRegistry;
  readonly #history: HistoryKeeper;
  readonly identity: MasterIdentity;
  readonly #operations: InstanceOperations;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedManagerOptions, parts: LocalInstancesParts) {
    this.#options = options;
    this.#state = options.state;
    this.#registry = new InstanceRegistry(options.state, options.store);
    this.identity = new MasterIdentity(
      this.#state,
      async () => {
        assertOpen(this.#closing.signal);
        await this.#registry.save();
      },
      options.maxPendingOperations,
    );
    const { logger, now } = options;
    this.#history = new HistoryKeeper({ files: options.history, now, logger });
    this.#pool = new WorkerPool({
      threads: Math.max(1, options.workers),
      start: parts.startThread,
      stableMs: options.workerStableMs,
      onCrash: ({ thread, reason, runs, waitMs }) => {
        logger.error({ worker: thread, reason, instances: runs, waitMs }, "worker crashed");
      },
    });
    this.#wheel = new ReportWheel(options.environment.reportIntervalMs, (instance) =>
      instance.tell(true),
    );
    this.#hub = new EventHub(
      (error) => logger.error({ reason: String(error) }, "a subscriber failed"),
      (any) => {
        if (any && !this.#closing.signal.aborted) this.#wheel.start();
        else this.#wheel.stop();
      },
    );
    this.#operations = new InstanceOperations({
      options,
      registry: this.#registry,
      closing: this.#closing.signal,
      onRemoved: (last) => {
        this.#book.release(last.id);
        this.#hub.emit({ type: "delete", instance: last });
        void this.#history.remove(last.id);
      },
    });
    for (const record of this.#state.instances) {
      const instance = this.#manage(record);
      instance.readSavedUrl();
      instance.setAnnounced();
      this.#registry.restore(instance);
    }
  }

  async start(): Promise<void> {
    assertOpen(this.#closing.signal);
    const started: Promise<void>[] = [];
    for (const instance of this.#registry.values()) {
      const { record } = instance;
      record.running = record.restart;
      if (!record.restart) continue;
      instance.begin();
      started.push(instance.life.settled(this.#closing.signal));
    }
    this.#registry.saveSoon();
    await Promise.all(started);
  }

  async list(): Promise<readonly Instance[]> {
    return Array.from(this.#registry.values(), ({ view }) => view);
  }

  async get(id: string): Promise<Instance | undefined> {
    return this.#registry.get(id)?.view;
  }

  details(id: string): InstanceDetails | undefined {
    return this.#registry.get(id)?.details;
  }

  async create(
    { url: text, alias = "" }: NewInstance,
    { running = true, manager, meta = NO_META }: CreateOptions = {},
  ): Promise<CreatedInstance> {
    assertOpen(this.#closing.signal);
    checkText("alias", alias);
    const url = readInstanceUrl(text, this.#options.masterDefaults);
    this.#assertPlace();
    const instance = this.#manage({
      id: this.#registry.newId(),
      alias,
      type: url.settings.scheme,
      url: text,
      restart: running,
      running,
      meta: { peer: { ...meta.peer }, tags: { ...meta.tags } },
      ...NO_TOTALS,
      createdAt: Math.max(0, Math.trunc(this.#options.now())),
    });
    instance.setManager(manager);
    if (running) instance.claimAddresses(url);
    instance.setUrl(text, url);
    // Not in the queue: the id and the place must be taken before anybody else asks for them.
    const added = this.#registry.add(instance);
    return instance.operations.run(async () => {
      try {
        await added;
      } catch (error) {
        this.#book.release(instance.record.id);
        throw error;
      }
      // The list may be closed by now; the instance is saved, and starts with the next master.
      if (running && !this.#closing.signal.aborted) {
        instance.begin();
        await instance.life.settled(this.#closing.signal);
      }
      instance.announce();
      return { ...instance.view, warnings: instance.warnings };
    });
  }

  update(id: string, change: InstanceChange, options: ChangeOptions = {}): Promise<Instance> {
    return this.#operations.update(id, change, options);
  }

  replaceUrl(id: string, url: string, options: ReplaceOptions = {}): Promise<ReplacedInstance> {
    return this.#operations.replaceUrl(id, url, options);
  }

  setOrigin(id: string, origin: InstanceOrigin | undefined): void {
    this.#registry.get(id)?.setOrigin(origin);
  }

  setManager(id: string, manager: string | undefined): void {
    this.#registry.get(id)?.setManager(manager);
  }

  serveUntil(id: string, until: number | undefined): void {
    this.#registry.get(id)?.life.serveUntil(until);
  }

  remove(id: string, options: ChangeOptions = {}): Promise<void> {
    return this.#operations.remove(id, options);
  }

  check(text: string, id?: string): ServerSettings | ClientSettings {
    const { settings } = readInstanceUrl(text, this.#options.masterDefaults);
    if (id === undefined) this.#assertPlace();
    this.#book.assertFree(id ?? "", wantedAddresses(settings));
    return settings;
  }

  async logs(id: string, query: LogQuery): Promise<InstanceLogs> {
    return this.#existing(id).lines.read(query);
  }

  async history(id: string, range: HistoryRange): Promise<InstanceHistory> {
    return this.#history.read(this.#existing(id).record.id, range);
  }

  async bans(id: string): Promise<readonly InstanceBan[]> {
    const answer = await this.#existing(id).life.ask({ about: "bans" });
    return (answer?.bans ?? []).map(({ address, forMs, offences }) => ({
      address,
      until: new Date(Date.now() + forMs).toISOString(),
      offences,
    }));
  }

  async ports(id: string): Promise<readonly InstancePort[]> {
    const answer = await this.#existing(id).life.ask({ about: "ports" });
    return answer?.ports ?? [];
  }

  async liftBans(id: string, address?: string): Promise<number> {
    const answer = await this.#existing(id).life.ask({ about: "liftBans", address });
    return answer?.lifted ?? 0;
  }

  async latencies(): Promise<ReadonlyMap<string, Latencies>> {
    await this.#pool.measure(MEASURE_LIMIT_MS);
    const measured = new Map<string, Latencies>();
    for (const { record, life } of this.#registry.values()) {
      const { latencies } = life;
      if (latencies !== undefined) measured.set(record.id, latencies);
    }
    return measured;
  }

  subscribe(listener: (event: InstanceEvent) => void): () => void {
    return this.#hub.subscribe(listener);
  }

  metrics(): InstanceMetrics {
    const counts = { running: 0, error: 0, stopped: 0 };
    for (const { life } of this.#registry.values()) counts[life.status]++;
    return {
      ...counts,
      workers: this.#options.workers === 0 ? 0 : this.#pool.threads,
      workersAway: this.#pool.away,
      workerRestarts: this.#pool.crashes,
    };
  }

  close(options: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    this.#closed ??= this.#close(options.timeoutMs ?? this.#options.environment.shutdownTimeoutMs);
    return this.#closed;
  }

  destroy(): void {
    this.#closed ??= Promise.resolve();
    this.#closing.abort();
    this.#wheel.stop();
    this.#pool.destroy();
    this.#history.destroy();
    for (const instance of this.#registry.values()) void instance.end(0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#closing.abort();
    this.#hub.emit({ type: "shutdown" });
    this.#wheel.stop();
    const drainMs = Math.max(timeoutMs * DRAIN_SHARE, timeoutMs - MAX_RESERVE_MS);
    let left = 0;
    const ended = new ChangeSignal();
    for (const instance of this.#registry.values()) {
      const { life } = instance;
      instance.retire();
      left++;
      // Not through the queue: what is under way may wait for longer than we do.
      void life.end(drainMs).finally(() => {
        left--;
        ended.notify();
      });
    }
    if (!(await ended.until(() => left === 0, timeoutMs))) {
      this.#options.logger.warn({ instances: left }, "instances cut at the end of the time");
    }
    this.#pool.destroy();
    await Promise.all([this.#registry.save(), this.#history.close()]);
  }

  #assertPlace(): void {
    const { maxInstances } = this.#options;
    if (this.#registry.size < maxInstances) return;
    throw new ServiceError("LIMIT_REACHED", `there are ${maxInstances} instances already`);
  }

  #existing(id: string): ManagedInstance {
    const instance = this.#registry.get(id);
    if (instance === undefined) throw notFound();
    return instance;
  }

  #manage(record: InstanceRecord): ManagedInstance {
    return new ManagedInstance(record, {
      options: this.#options,
      pool: this.#pool,
      book: this.#book,
      wheel: this.#wheel,
      hub: this.#hub,
      history: this.#history,
      saveSoon: () => this.#registry.saveSoon(),
    });
  }
}
