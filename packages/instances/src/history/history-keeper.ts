import type { HistoryRange, Instance, InstanceHistory, Logger } from "@nodepass/model";
import { HISTORY_RANGES } from "@nodepass/model";
import type { HistoryFiles } from "@nodepass/store";
import { InstanceHistoryLog } from "./instance-history.ts";

const SAMPLE_MS = HISTORY_RANGES.hour.stepSeconds * 1000;
/** Every instance is written once in so many samples: 5 minutes, what a kill -9 can lose. */
const SAMPLES_PER_WRITE = 60;

/** What a keeper is made of. */
export interface HistoryKeeperOptions {
  /** Where histories outlive the process. @default nowhere */
  readonly files?: HistoryFiles | undefined;
  readonly now: () => number;
  readonly logger: Logger;
}

interface Watched {
  readonly log: InstanceHistoryLog;
  readonly look: () => Instance;
  /** The file has been read. */
  isLoaded: boolean;
}

/**
 * The histories of a master's instances: in memory for those that run, else on disk. One timer for
 * all of them, and none while nothing runs.
 */
export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  readonly #watched = new Map<string, Watched>();
  /** The last thing under way with each file: a read or a removal waits for the write before it. */
  readonly #last = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #samples = 0;
  #hasFailed = false;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  /** The instance runs from now on. @param look tells how it is */
  begin(id: string, look: () => Instance): void {
    if (this.#watched.has(id)) return;
    const watched: Watched = { log: new InstanceHistoryLog(), look, isLoaded: false };
    this.#watched.set(id, watched);
    void this.#load(id, watched.log).then(() => {
      watched.isLoaded = true;
    });
    this.#timer ??= setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** It has stopped; its history goes to disk. */
  async end(id: string): Promise<void> {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#forget(id);
    await this.#save(id, watched.log);
  }

  async read(id: string, range: HistoryRange): Promise<InstanceHistory> {
    const watched = this.#watched.get(id);
    const log = watched?.log ?? new InstanceHistoryLog();
    if (watched === undefined) await this.#load(id, log);
    else if (!watched.isLoaded) await this.#last.get(id);
    return log.read(range, this.#options.now());
  }

  async remove(id: string): Promise<void> {
    this.#forget(id);
    await this.#inTurn(id, async () => this.#options.files?.remove(id));
  }

  /** Writes what is not on disk. */
  async close(): Promise<void> {
    this.#stop();
    for (const [id, { log }] of this.#watched) void this.#save(id, log);
    this.#watched.clear();
    await Promise.all(this.#last.values());
  }

  /** Writes nothing more. */
  destroy(): void {
    this.#stop();
    this.#watched.clear();
  }

  #forget(id: string): void {
    this.#watched.delete(id);
    if (this.#watched.size === 0) this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sample(): void {
    const now = this.#options.now();
    const turn = this.#samples++ % SAMPLES_PER_WRITE;
    let index = 0;
    for (const [id, watched] of this.#watched) {
      if (watched.isLoaded) {
        const instance = watched.look();
        if (instance.status === "running") watched.log.note(now, instance);
        else watched.log.pause();
      }
      if (index++ % SAMPLES_PER_WRITE === turn) void this.#save(id, watched.log);
    }
  }

  #load(id: string, log: InstanceHistoryLog): Promise<void> {
    return this.#inTurn(id, async () => {
      const bytes = await this.#options.files?.read(id);
      if (bytes !== undefined && !log.decode(bytes)) {
        this.#options.logger.warn({ instance: id }, "damaged history left aside");
      }
    });
  }

  #save(id: string, log: InstanceHistoryLog): Promise<void> {
    return this.#inTurn(id, async () => {
      if (!log.dirty || this.#options.files === undefined) return;
      log.dirty = false;
      try {
        await this.#options.files.write(id, log.encode());
        this.#hasFailed = false;
      } catch (error) {
        log.dirty = true;
        throw error;
      }
    });
  }

  /**
   * Does something with an instance's file after what is under way with it. Never rejects: a chart
   * is not worth a failure.
   */
  #inTurn(id: string, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(id) ?? Promise.resolve();
    const done = before
      .then(work)
      .catch((error: unknown) => this.#report(error))
      .then(() => {
        if (this.#last.get(id) === done) this.#last.delete(id);
      });
    this.#last.set(id, done);
    return done;
  }

  /** One line for each new trouble, not one for each file. */
  #report(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.logger.warn({ reason }, "history not kept");
  }
}
