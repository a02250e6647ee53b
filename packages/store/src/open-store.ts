import { dirname, join, resolve } from "node:path";
import { type Logger, SILENT_LOGGER } from "@nodepass/model";
import { type DirectoryLock, removeDeadContenders, takeDirectoryLock } from "./directory-lock.ts";
import { removeTemporaryFiles, syncDirectory } from "./durable-file.ts";
import { createFileStore } from "./file-store.ts";
import { realFileSystem, type StoreFileSystem } from "./file-system.ts";
import { type LoadedState, loadState } from "./load-state.ts";
import type { MasterState } from "./master-state.ts";
import { MIGRATIONS, type Migrations } from "./migrations.ts";
import type { StateStore } from "./state-store.ts";
import { StoreError, systemCode, toStoreError } from "./store-error.ts";
import { resolveStoreLimits } from "./store-options.ts";

/** Name of the state file in its directory. */
export const STATE_NAME = "nodepass.msgpack";
/** Name of the backup beside it. */
export const BACKUP_NAME = "nodepass.msgpack.backup";

/** Where the state lies and how often it is written. */
export interface OpenStoreOptions {
  /** Made with mode 0700 if it does not exist. */
  directory: string;
  /** Called once, when there is no usable file; its result is written before `openStore` resolves. */
  createInitial: () => MasterState;
  /** Time between backups, in milliseconds. 1,000 to 2,147,483,647. @default 3600000 */
  backupIntervalMs?: number | undefined;
  /** Shortest time between two writes that `saveSoon` asks for. 10 to 3,600,000. @default 1000 */
  counterIntervalMs?: number | undefined;
  /** Largest state file that is read or written. 1,024 to 1 GiB. @default 268435456 (256 MiB) */
  maxFileBytes?: number | undefined;
  logger?: Logger | undefined;
}

/** An opened store and what was in it. `state` belongs to the caller. */
export interface OpenedStore extends LoadedState {
  store: StateStore;
}

/** What tests replace. */
export interface StoreParts {
  fileSystem: StoreFileSystem;
  migrations: Migrations;
  now: () => number;
}

const REAL_PARTS: StoreParts = {
  fileSystem: realFileSystem,
  migrations: MIGRATIONS,
  now: Date.now,
};

/**
 * Opens the state file of a master, alone: takes the directory's lock, loads and checks the file,
 * and falls back to the backup if it is damaged. When this resolves, the state is on disk and a
 * backup exists that is not older than the interval (or the log says why not).
 *
 * @throws {StoreError} `LOCKED` (with `holderPid`), `FUTURE_VERSION`, `UNREADABLE` (the system does
 * not let us read; damage is recovered from), `TOO_LARGE`, `DIRECTORY_UNUSABLE`, `WRITE_FAILED`,
 * `INVALID_STATE` (by `createInitial`), `INVALID_OPTIONS`
 */
export function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  return openStoreWith(options, REAL_PARTS);
}

/** {@link openStore} over other parts, for tests. */
export async function openStoreWith(
  options: OpenStoreOptions,
  parts: Partial<StoreParts>,
): Promise<OpenedStore> {
  const { fileSystem, migrations, now } = { ...REAL_PARTS, ...parts };
  const limits = resolveStoreLimits(options);
  if (options.directory === "") throw new StoreError("INVALID_OPTIONS", "directory is empty");
  const directory = resolve(options.directory);
  const logger = options.logger ?? SILENT_LOGGER;
  const statePath = join(directory, STATE_NAME);
  const backupPath = join(directory, BACKUP_NAME);

  const lock = await enter(fileSystem, directory);
  let store: StateStore | undefined;
  try {
    if (lock.takenOverFrom !== undefined) {
      logger.warn({ pid: lock.takenOverFrom }, "lock of a dead process taken over");
    }
    const loaded = await loadState({
      ...{ fileSystem, statePath, backupPath, migrations, logger, now },
      maxFileBytes: limits.maxFileBytes,
      createInitial: options.createInitial,
    });
    store = createFileStore({
      ...limits,
      ...{ fileSystem, statePath, backupPath, lock, migrations, logger },
    });
    const { state, fresh, recovered, migratedFrom } = loaded;
    if (fresh || recovered !== undefined || migratedFrom !== undefined) {
      await store.save(() => state);
    }
    if (await isBackupDue(fileSystem, backupPath, now() - limits.backupIntervalMs)) {
      await store.backup().catch((error: unknown) => {
        const reason = toStoreError("WRITE_FAILED", "backup failed", error).message;
        logger.error({ file: backupPath, reason }, "backup failed");
      });
    }
    return { ...loaded, store };
  } catch (error) {
    const failure = toStoreError("WRITE_FAILED", `${directory} cannot be opened`, error);
    if (store === undefined) {
      // The first error counts; a lock that stays is taken over when this process has ended.
      await lock.release().catch(() => undefined);
    } else {
      store.destroy(failure);
      await store.close();
    }
    throw failure;
  }
}

/** Makes the directory, takes its lock and removes what killed processes left in it. */
async function enter(fileSystem: StoreFileSystem, directory: string): Promise<DirectoryLock> {
  let lock: DirectoryLock | undefined;
  try {
    await makeDirectory(fileSystem, directory);
    lock = await takeDirectoryLock(fileSystem, directory);
    await removeTemporaryFiles(fileSystem, directory);
    await removeDeadContenders(fileSystem, directory);
    return lock;
  } catch (error) {
    // The first error counts; a lock that stays is taken over when this process has ended.
    await lock?.release().catch(() => undefined);
    throw toStoreError("DIRECTORY_UNUSABLE", `${directory} cannot hold the state`, error);
  }
}

/**
 * Makes a directory and those above it that are missing. Node's own recursive way says "does not
 * exist" on a read-only file system, and in places like /proc it never ends.
 */
async function makeDirectory(fileSystem: StoreFileSystem, directory: string): Promise<void> {
  if (await exists(fileSystem, directory)) return;
  await makeDirectory(fileSystem, dirname(directory));
  try {
    await fileSystem.mkdir(directory, { recursive: false, mode: 0o700 });
  } catch (error) {
    // Somebody else starts here at the same time; the lock decides.
    if (systemCode(error) !== "EEXIST") throw error;
  }
  // The new name must survive a power cut as well as the files in it.
  await syncDirectory(fileSystem, dirname(directory));
}

async function exists(fileSystem: StoreFileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    return false;
  }
}

async function isBackupDue(
  fileSystem: StoreFileSystem,
  path: string,
  oldest: number,
): Promise<boolean> {
  try {
    return (await fileSystem.stat(path)).mtimeMs <= oldest;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw error;
  }
}
