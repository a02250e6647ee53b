import type { MasterState } from "./master-state.ts";
import type { StateStore, StoreLogger } from "./state-store.ts";
import { StoreError } from "./store-error.ts";

/** Where the state lies and how often it is written. */
export interface OpenStoreOptions {
  /** Made with mode 0700 if it does not exist. */
  directory: string;
  /** Called once, when there is neither a state file nor a backup; its result is written at once. */
  createInitial: () => MasterState;
  /** Time between backups, in milliseconds. 1,000 to 2,147,483,647. @default 3600000 */
  backupIntervalMs?: number | undefined;
  /** Shortest time between two writes that `saveSoon` asks for. 10 to 3,600,000. @default 1000 */
  counterIntervalMs?: number | undefined;
  /** Largest state file that is read or written. 1,024 to 1 GiB. @default 268435456 (256 MiB) */
  maxFileBytes?: number | undefined;
  logger?: StoreLogger | undefined;
}

/** A file that could not be used when the store was opened. */
export interface DamagedFile {
  /** Path where it was. */
  file: string;
  /** What is wrong with it. */
  reason: string;
  /** Path where it is now; `undefined` if it was missing. */
  setAside: string | undefined;
}

/** Says that the state is not the one last written. */
export interface Recovery {
  /** `backup`: the state of the last backup. `initial`: nothing could be read, a new one was made. */
  source: "backup" | "initial";
  damaged: DamagedFile[];
}

/** An opened store and what was in it. */
export interface OpenedStore {
  store: StateStore;
  /** What was loaded; belongs to the caller. */
  state: MasterState;
  /** A new state was made by `createInitial`. */
  fresh: boolean;
  recovered: Recovery | undefined;
  /** Version of the file if it was older than this program's; the old file was kept beside. */
  migratedFrom: number | undefined;
}

/**
 * Opens the state file of a master, alone: takes the directory's lock, loads and checks the file.
 *
 * @throws {StoreError} `LOCKED` (with `holderPid`), `FUTURE_VERSION`, `UNREADABLE` (an input error, not
 * damage: that is recovered from), `TOO_LARGE`, `DIRECTORY_UNUSABLE`, `WRITE_FAILED`, `INVALID_OPTIONS`
 */
export function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  return Promise.reject(new StoreError("CLOSED", `not written yet: ${options.directory}`));
}
