import type { Logger } from "@nodepass/model";
import { decodeState } from "./decode-state.ts";
import type { DirectoryLock } from "./directory-lock.ts";
import { readWholeFile, replaceFile } from "./durable-file.ts";
import { encodeState } from "./encode-state.ts";
import type { StoreFileSystem } from "./file-system.ts";
import type { Migrations } from "./migrations.ts";
import type { StateSnapshot, StateStore } from "./state-store.ts";
import { StoreError, toStoreError } from "./store-error.ts";
import { WriteQueue } from "./write-queue.ts";

/** Longest pause between attempts to write after failures. */
const MAX_RETRY_MS = 30_000;

/** The parts of an open store. */
export interface FileStoreOptions {
  fileSystem: StoreFileSystem;
  statePath: string;
  backupPath: string;
  lock: DirectoryLock;
  maxFileBytes: number;
  migrations: Migrations;
  backupIntervalMs: number;
  counterIntervalMs: number;
  logger: Logger;
}

/** Builds the store over a directory whose lock is held and whose state is loaded. */
export function createFileStore(options: FileStoreOptions): StateStore {
  const { fileSystem, statePath, backupPath, lock, maxFileBytes, logger } = options;
  let lastWritten: Uint8Array | undefined;
  let closing: Promise<void> | undefined;

  const queue = new WriteQueue({
    write: writeState,
    counterIntervalMs: options.counterIntervalMs,
    maxRetryMs: MAX_RETRY_MS,
  });
  const backupTimer = setInterval(() => {
    void backup().catch((error: unknown) => {
      logger.error({ file: backupPath, reason: reasonOf(error) }, "backup failed");
    });
  }, options.backupIntervalMs).unref();

  async function writeState(snapshot: StateSnapshot, demanded: boolean): Promise<void> {
    try {
      const bytes = encodeSnapshot(snapshot);
      if (!demanded && lastWritten !== undefined && Buffer.compare(bytes, lastWritten) === 0)
        return;
      if (bytes.length > maxFileBytes) {
        throw new StoreError(
          "TOO_LARGE",
          `state of ${bytes.length} bytes exceeds maxFileBytes ${maxFileBytes}`,
        );
      }
      // Unknown until the write has succeeded.
      lastWritten = undefined;
      await replaceFile(fileSystem, statePath, bytes, () => lock.assertHeld());
      lastWritten = bytes;
    } catch (error) {
      const failure = toStoreError("WRITE_FAILED", `${statePath} cannot be written`, error);
      // One line for each new trouble, not one for each attempt.
      if (queue.failure?.message !== failure.message) {
        logger.error({ code: failure.code, reason: failure.message }, "state not saved");
      }
      throw failure;
    }
    if (queue.failure !== undefined) logger.info({ file: statePath }, "state saved again");
  }

  async function backup(): Promise<void> {
    if (closing !== undefined) throw new StoreError("CLOSED", "the store is closed");
    await queue.exclusively(async () => {
      try {
        const bytes = await readWholeFile(fileSystem, statePath, maxFileBytes);
        if (bytes === undefined) throw new StoreError("UNREADABLE", `${statePath} is missing`);
        decodeState(bytes, options.migrations);
        await replaceFile(fileSystem, backupPath, bytes, () => lock.assertHeld());
      } catch (error) {
        // Makes the next write happen even if nothing changed.
        lastWritten = undefined;
        throw toStoreError("WRITE_FAILED", `${backupPath} cannot be written`, error);
      }
    });
    logger.debug({ file: backupPath }, "state backed up");
  }

  async function finish(written: Promise<void>): Promise<void> {
    clearInterval(backupTimer);
    try {
      await written;
    } finally {
      await lock.release().catch((error: unknown) => {
        logger.warn({ reason: reasonOf(error) }, "lock not released");
      });
    }
  }

  function close(): Promise<void> {
    closing ??= finish(queue.close());
    return closing;
  }

  return {
    get failure() {
      return queue.failure;
    },
    save: (snapshot) => queue.save(snapshot),
    saveSoon: (snapshot) => queue.saveSoon(snapshot),
    backup,
    close,
    destroy(error) {
      const stopped = queue.destroy(error ?? new StoreError("CLOSED", "the store was given up"));
      closing ??= finish(stopped);
    },
    [Symbol.asyncDispose]: close,
  };
}

function encodeSnapshot(snapshot: StateSnapshot): Uint8Array {
  try {
    return encodeState(snapshot());
  } catch (error) {
    throw toStoreError("INVALID_STATE", "state cannot be taken", error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
