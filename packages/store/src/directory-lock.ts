import { join } from "node:path";
import type { StoreFileSystem } from "./file-system.ts";
import {
  formatIdentity,
  isRunning,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
} from "./process-identity.ts";
import { StoreError, systemCode } from "./store-error.ts";

/** Name of the lock in the state directory. */
const LOCK_NAME = "nodepass.msgpack.lock";

const TEMPORARY = /^nodepass\.msgpack\.lock\.(pid-.*)\.tmp$/;
const MAX_ATTEMPTS = 100;

/** A held lock. */
export interface DirectoryLock {
  /** The holder whose lock was taken over because it is dead. */
  readonly takenOverFrom: number | undefined;
  /** @throws {StoreError} `LOCK_LOST` if the lock is no longer ours, because somebody removed it */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lock of a state directory.
 *
 * The lock is a directory with one empty file, named after its holder. It is made under another
 * name and renamed into place, and a rename onto a directory works only while that one is empty:
 * of several contenders one wins. A dead holder's file is unlinked by its unique name, so whoever
 * looked long ago cannot remove the lock of the one who took over in between.
 *
 * @throws {StoreError} `LOCKED` with the pid of the holder; or the system's error
 */
export async function takeDirectoryLock(
  fileSystem: StoreFileSystem,
  directory: string,
): Promise<DirectoryLock> {
  const path = join(directory, LOCK_NAME);
  const name = formatIdentity(ownIdentity());
  const prepared = `${path}.${name}.tmp`;
  let takenOverFrom: number | undefined;

  await fileSystem.mkdir(prepared, { recursive: false, mode: 0o700 });
  try {
    await (await fileSystem.open(join(prepared, name), "wx", 0o600)).close();
    for (let attempt = 1; ; attempt++) {
      takenOverFrom = (await removeDeadHolders(fileSystem, path)) ?? takenOverFrom;
      if (await renameOntoEmpty(fileSystem, prepared, path)) break;
      if (attempt === MAX_ATTEMPTS) {
        throw new StoreError("LOCKED", `${path} changed hands ${attempt} times while waiting`);
      }
    }
  } catch (error) {
    // What cannot be removed now is removed by the next start; the first error counts.
    await removeLockDirectory(fileSystem, prepared, name).catch(() => undefined);
    throw error;
  }

  return {
    takenOverFrom,
    async assertHeld() {
      try {
        await fileSystem.stat(join(path, name));
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
        throw new StoreError("LOCK_LOST", `${path} was removed or taken by another process`);
      }
    },
    release: () => removeLockDirectory(fileSystem, path, name),
  };
}

/** @returns pid of a dead holder that was removed */
async function removeDeadHolders(
  fileSystem: StoreFileSystem,
  path: string,
): Promise<number | undefined> {
  let removed: number | undefined;
  for (const entry of await listLock(fileSystem, path)) {
    const holder = parseIdentity(entry);
    if (holder === undefined) {
      throw new StoreError(
        "LOCKED",
        `${join(path, entry)} is not a lock of ours; remove it by hand`,
      );
    }
    if (isRunning(holder)) throw lockedBy(path, holder);
    await ignoring(["ENOENT"], fileSystem.unlink(join(path, entry)));
    removed = holder.pid;
  }
  return removed;
}

function lockedBy(path: string, holder: ProcessIdentity): StoreError {
  const who = holder.pid === process.pid ? "this process" : "process";
  return new StoreError("LOCKED", `${path} is held by ${who} ${holder.pid}`, {
    holderPid: holder.pid,
  });
}

async function listLock(fileSystem: StoreFileSystem, path: string): Promise<string[]> {
  try {
    return await fileSystem.readdir(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return [];
    if (code !== "ENOTDIR") throw error;
    throw new StoreError("LOCKED", `${path} is not a lock of ours; remove it by hand`, {
      cause: error,
    });
  }
}

async function renameOntoEmpty(
  fileSystem: StoreFileSystem,
  from: string,
  to: string,
): Promise<boolean> {
  try {
    await fileSystem.rename(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

async function removeLockDirectory(
  fileSystem: StoreFileSystem,
  path: string,
  name: string,
): Promise<void> {
  await ignoring(["ENOENT"], fileSystem.unlink(join(path, name)));
  await ignoring(["ENOENT", "ENOTEMPTY", "EEXIST"], fileSystem.rmdir(path));
}

/** Removes what contenders left that were killed before they had or lost the lock. */
export async function removeDeadContenders(
  fileSystem: StoreFileSystem,
  directory: string,
): Promise<void> {
  for (const entry of await fileSystem.readdir(directory)) {
    const name = TEMPORARY.exec(entry)?.[1];
    const contender = name === undefined ? undefined : parseIdentity(name);
    if (name === undefined || contender === undefined || isRunning(contender)) continue;
    await removeLockDirectory(fileSystem, join(directory, entry), name);
  }
}

async function ignoring(codes: readonly string[], task: Promise<void>): Promise<void> {
  try {
    await task;
  } catch (error) {
    if (!codes.includes(systemCode(error) ?? "")) throw error;
  }
}
