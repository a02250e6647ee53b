import type { LoadedConfig } from "@nodepass/config-file";
import { CliError } from "../exit-code.ts";

/** First wait, ms, before what could not be done is tried again; it doubles up to `MAX_RETRY_MS`. */
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

/** What a reloader does. */
export interface ReloaderOptions {
  /** Reads the files. @throws {CliError} with a line for each fault */
  load(): Promise<LoadedConfig>;
  /** Makes what runs what the files say. @returns whether all of it could be done */
  become(config: LoadedConfig): Promise<boolean>;
  /** The files are wrong: nothing has been changed. */
  onRefused(problems: readonly string[]): void;
  /** What was read last, and whether all of it is in force. */
  readonly last: LoadedConfig;
  readonly isComplete: boolean;
}

/** Reloads one after the other, however often it is asked to, and tries again what failed. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #last: LoadedConfig;
  #wanted: "reload" | "retry" | undefined;
  #work: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#last = options.last;
    if (!options.isComplete) this.retry();
  }

  /** Reads the files again, after a reload that is under way. */
  request(): void {
    this.#wanted = "reload";
    this.#start();
  }

  /** Something is not as the last files said: it is tried again in a while. */
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

  /** Begins nothing more; resolves when what is under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
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
      if (wanted === "reload" && !(await this.#load())) continue;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (await this.#options.become(this.#last)) this.#failures = 0;
      else this.retry();
    }
  }

  async #load(): Promise<boolean> {
    try {
      this.#last = await this.#options.load();
      return true;
    } catch (error) {
      const lines = error instanceof CliError ? [error.message, ...error.details] : [String(error)];
      this.#options.onRefused(lines.map(String));
      return false;
    }
  }
}
