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
  readonly loading: Promise<void>;
}

/**
 * The histories of a master's instances: in memory for those that run, else on disk. One timer for
 * all of them, and none while nothing runs.
 */
export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #samples = 0;
  #hasFailed = false;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  /** The instance runs from now on. @param look tells how it is */
  begin(id: string, look: () => Instance): void {
    if (this.#watched.has(id)) return;
    const log = new InstanceHistoryLog();
    const loading = this.#load(id, log).then(() => {
      watched.isLoaded = true;
    });
    const watched: Watched = { log, look, isLoaded: false, loading };
    this.#watched.set(id, watched);
    this.#timer ??= setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** It has stopped; its history goes to disk. */
  async end(id: string): Promise<void> {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#watched.delete(id);
    if (this.#watched.size === 0) this.#stop();
    await this.#save(id, watched);
  }

  async read(id: string, range: HistoryRange): Promise<InstanceHistory> {
    const watched = this.#watched.get(id);
    await watched?.loading;
    const log = watched?.log ?? new InstanceHistoryLog();
    if (watched === undefined) await this.#load(id, log);
    return log.read(range, this.#options.now());
  }

  async remove(id: string): Promise<void> {
    this.#watched.delete(id);
    await this.#options.files?.remove(id).catch((error: unknown) => this.#report(error));
  }

  /** Writes what is not on disk. */
  async close(): Promise<void> {
    this.#stop();
    const all = [...this.#watched];
    this.#watched.clear();
    await Promise.all(all.map(([id, watched]) => this.#save(id, watched)));
  }

  /** Writes nothing more. */
  destroy(): void {
    this.#stop();
    this.#watched.clear();
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
      if (index++ % SAMPLES_PER_WRITE === turn) void this.#save(id, watched);
    }
  }

  async #load(id: string, log: InstanceHistoryLog): Promise<void> {
    try {
      const bytes = await this.#options.files?.read(id);
      if (bytes !== undefined && !log.decode(bytes)) {
        this.#options.logger.warn({ instance: id }, "damaged history left aside");
      }
    } catch (error) {
      this.#report(error);
    }
  }

  /** Never rejects: a chart is not worth a failure. */
  async #save(id: string, { log, loading }: Watched): Promise<void> {
    await loading;
    if (!log.dirty || this.#options.files === undefined) return;
    log.dirty = false;
    try {
      await this.#options.files.write(id, log.encode());
      this.#hasFailed = false;
    } catch (error) {
      log.dirty = true;
      this.#report(error);
    }
  }

  /** One line for each new trouble, not one for each file. */
  #report(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.logger.warn({ reason }, "history not kept");
  }
}
