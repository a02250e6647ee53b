import { ConfigFileError, type ConfigProblem } from "./config-file-error.ts";
import { type LoadConfigOptions, type LoadedConfig, loadConfig } from "./load-config.ts";
import { type ConfigWatcher, watchConfig } from "./watch-config.ts";

/** First wait, ms, before what could not be done is tried again; it doubles up to `MAX_RETRY_MS`. */
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

/** What is followed, and what is done with it. */
export interface FollowConfigOptions extends LoadConfigOptions {
  /** Files and folders, as for `loadConfig`; absolute, if the working folder may change. */
  readonly paths: readonly string[];
  /** What was read last, and whether all of it is in force. */
  readonly last: LoadedConfig;
  readonly isComplete: boolean;
  /** Makes what runs what the files say; never called before it has resolved. @returns whether all could be done */
  become(config: LoadedConfig): Promise<boolean>;
  /** The files are wrong: nothing is changed. */
  onRefused(problems: readonly ConfigProblem[]): void;
  /** Changes in a folder go unnoticed. */
  onUnwatched(folder: string, error: Error): void;
  /** Rest before changed files are read, ms. @default 300 */
  readonly debounceMs?: number | undefined;
}

/** Files that are followed until it is closed. */
export interface ConfigFollower {
  /** Reads the files again now (SIGHUP), after a reload that is under way. */
  reload(): void;
  /** Something is not any more as the last files said: it is tried again in a while. */
  retry(): void;
  /** Begins nothing more; resolves when what is under way is done. May be called again. */
  close(): Promise<void>;
}

/**
 * Has what runs follow its files: they are read again when they, or the files with keys that they
 * name, change, and when that is asked for; one reload after the other, however often. What could
 * not be done is tried again after 1 s, 2 s, 4 s … 60 s.
 *
 * @example
 * const follower = followConfig({ paths, last, isComplete: true, become, onRefused, onUnwatched });
 * process.on("SIGHUP", () => follower.reload());
 */
export function followConfig(options: FollowConfigOptions): ConfigFollower {
  return new Follower(options);
}

class Follower implements ConfigFollower {
  readonly #options: FollowConfigOptions;
  #last: LoadedConfig;
  #watcher: ConfigWatcher | undefined;
  #watched = "";
  #wanted: "reload" | "retry" | undefined;
  #work: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: FollowConfigOptions) {
    this.#options = options;
    this.#last = options.last;
    this.#watch();
    if (!options.isComplete) this.retry();
  }

  reload(): void {
    this.#wanted = "reload";
    this.#start();
  }

  retry(): void {
    if (this.#closed || this.#timer !== undefined) return;
    const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wanted ??= "retry";
      this.#start();
    }, wait);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#work;
  }

  #start(): void {
    if (this.#closed) return;
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined;
      // Asked for in the very moment in which it ended.
      if (this.#wanted !== undefined) this.#start();
    });
  }

  async #run(): Promise<void> {
    while (this.#wanted !== undefined && !this.#closed) {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (wanted === "reload" && !this.#load()) continue;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (await this.#options.become(this.#last)) this.#failures = 0;
      else this.retry();
    }
  }

  #load(): boolean {
    const { paths, environment, onRefused } = this.#options;
    try {
      this.#last = loadConfig(paths, { environment });
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error;
      onRefused(error.problems);
      return false;
    }
    this.#watch();
    return true;
  }

  /** Other files with keys may be named now. */
  #watch(): void {
    const { onUnwatched, debounceMs } = this.#options;
    const paths = [...this.#options.paths, ...this.#last.keyFiles];
    const watched = paths.join("\n");
    if (watched === this.#watched) return;
    this.#watched = watched;
    this.#watcher?.close();
    const onChange = (): void => this.reload();
    this.#watcher = watchConfig({ paths, onChange, onError: onUnwatched, debounceMs });
  }
}
