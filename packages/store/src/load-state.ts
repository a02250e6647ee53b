import type { Logger } from "@nodepass/model";
import { type DecodedState, decodeState } from "./decode-state.ts";
import { keepCopy, readWholeFile, setAside } from "./durable-file.ts";
import type { StoreFileSystem } from "./file-system.ts";
import { type MasterState, STATE_VERSION } from "./master-state.ts";
import type { Migrations } from "./migrations.ts";
import { StoreError, toStoreError } from "./store-error.ts";

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

/** Where to look and what to do if there is nothing. */
export interface LoadStateOptions {
  fileSystem: StoreFileSystem;
  statePath: string;
  backupPath: string;
  maxFileBytes: number;
  migrations: Migrations;
  createInitial: () => MasterState;
  logger: Logger;
  now: () => number;
}

/** What was found; nothing of it is written yet. */
export interface LoadedState {
  state: MasterState;
  fresh: boolean;
  recovered: Recovery | undefined;
  migratedFrom: number | undefined;
}

type Found =
  | { kind: "whole"; decoded: DecodedState; bytes: Uint8Array }
  | { kind: "missing"; path: string }
  | { kind: "damaged"; path: string; reason: string };

/**
 * Reads the state, the backup if the state cannot be used, and makes a new state if both cannot.
 *
 * Both files are looked at before either is moved, and a file of a newer program or one that the
 * system does not let us read stops everything: nothing is moved or written then.
 *
 * @throws {StoreError} `FUTURE_VERSION`, `UNREADABLE`, `TOO_LARGE`, `WRITE_FAILED`
 */
export async function loadState(options: LoadStateOptions): Promise<LoadedState> {
  const { statePath, backupPath, createInitial, logger } = options;
  const main = await find(options, statePath);
  if (main.kind === "whole") return use(options, main, statePath, undefined);

  const backup = await find(options, backupPath);
  if (backup.kind === "missing" && main.kind === "missing") {
    return { state: createInitial(), fresh: true, recovered: undefined, migratedFrom: undefined };
  }
  const damaged = [await putAway(options, main)];
  if (backup.kind === "whole") {
    logger.error({ file: backupPath }, "state file unusable, backup loaded");
    return use(options, backup, backupPath, { source: "backup", damaged });
  }
  damaged.push(await putAway(options, backup));
  logger.error({}, "state file and backup unusable, starting with an empty state and a new key");
  return {
    state: createInitial(),
    fresh: true,
    recovered: { source: "initial", damaged },
    migratedFrom: undefined,
  };
}

async function find(options: LoadStateOptions, path: string): Promise<Found> {
  const { fileSystem, maxFileBytes, migrations } = options;
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readWholeFile(fileSystem, path, maxFileBytes);
  } catch (error) {
    throw toStoreError("UNREADABLE", `${path} cannot be read`, error);
  }
  if (bytes === undefined) return { kind: "missing", path };
  try {
    return { kind: "whole", decoded: decodeState(bytes, migrations), bytes };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code !== "UNREADABLE") {
      throw new StoreError(error.code, `${path}: ${error.message}`, { cause: error });
    }
    return { kind: "damaged", path, reason: error.message };
  }
}

async function use(
  options: LoadStateOptions,
  found: { decoded: DecodedState; bytes: Uint8Array },
  path: string,
  recovered: Recovery | undefined,
): Promise<LoadedState> {
  const { fileSystem, logger, now } = options;
  const { state, version } = found.decoded;
  if (version === STATE_VERSION) return { state, fresh: false, recovered, migratedFrom: undefined };
  try {
    const kept = await keepCopy(fileSystem, path, found.bytes, `version-${version}`, now());
    logger.info({ file: path, version, kept }, "state file of an older version converted");
  } catch (error) {
    throw toStoreError("WRITE_FAILED", `copy of ${path} cannot be written`, error);
  }
  return { state, fresh: false, recovered, migratedFrom: version };
}

async function putAway(
  options: LoadStateOptions,
  found: Exclude<Found, { kind: "whole" }>,
): Promise<DamagedFile> {
  const { fileSystem, logger, now } = options;
  const { path } = found;
  if (found.kind === "missing") {
    logger.warn({ file: path }, "state file is missing");
    return { file: path, reason: "it does not exist", setAside: undefined };
  }
  try {
    const name = await setAside(fileSystem, path, "damaged", now());
    logger.error({ file: path, reason: found.reason, setAside: name }, "damaged file set aside");
    return { file: path, reason: found.reason, setAside: name };
  } catch (error) {
    throw toStoreError("WRITE_FAILED", `damaged ${path} cannot be set aside`, error);
  }
}
