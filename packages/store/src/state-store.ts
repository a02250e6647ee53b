import type { MasterState } from "./master-state.ts";
import type { StoreError } from "./store-error.ts";

/** Gives the state as it is now; called when a write starts, so it sees every change made so far. */
export type StateSnapshot = () => MasterState;

/** The open state file. One per directory, over all processes. */
export interface StateStore {
  /**
   * Error of the last write, backups left out; `undefined` since a write succeeded. For health
   * reports: the store keeps trying by itself.
   */
  readonly failure: StoreError | undefined;
  /**
   * Writes the state; many calls in a moment are one write.
   *
   * @returns resolves when this state or a later one is on disk (file and directory fsynced)
   * @throws {StoreError} `WRITE_FAILED`, `INVALID_STATE`, `TOO_LARGE`, `LOCK_LOST`, `CLOSED`: the old file
   * is still there and readable
   */
  save(snapshot: StateSnapshot): Promise<void>;
  /** For counters: written at most once in `counterIntervalMs`, nobody waits; errors are logged. */
  saveSoon(snapshot: StateSnapshot): void;
  /**
   * Copies the state file to the backup now, after checking that it is whole. Also done every
   * `backupIntervalMs`.
   *
   * @throws {StoreError} `UNREADABLE` if the file is damaged (the old backup stays), `WRITE_FAILED`
   */
  backup(): Promise<void>;
  /** Writes what is not yet written and gives up the lock, even if that write fails. Idempotent. */
  close(): Promise<void>;
  /** Gives up without a further write: whoever waits gets `CLOSED` (or `error`). Idempotent. */
  destroy(error?: Error): void;
  [Symbol.asyncDispose](): Promise<void>;
}
