import { join } from "node:path";
import type { Logger } from "@nodepass/model";
import { type OpenedStore, openStore, StoreError } from "@nodepass/store";
import { MasterServerError } from "./master-server-error.ts";
import { initialState, type MovedIn } from "./move-in.ts";

/** Where the state lies and how often it is copied. */
export interface OpenStateOptions {
  readonly directory: string;
  /** `NP_RELOAD_INTERVAL`, ms; kept within what the store allows. */
  readonly backupIntervalMs: number;
  readonly logger: Logger;
  /** A state of the Go program to begin with. */
  readonly importFile?: string | undefined;
  /** Where such a state may lie, if `importFile` names none. */
  readonly goStateFiles?: readonly string[] | undefined;
}

/** A state, and where it came from. */
export interface OpenedState extends OpenedStore {
  /** Set if it was taken over at this start. */
  readonly movedIn: MovedIn | undefined;
}

/**
 * Opens the master's state, alone.
 *
 * @throws {MasterServerError} `STATE_LOCKED` saying who holds it, `STATE_UNUSABLE`, `IMPORT_FAILED`
 *   also if there is a state already and `importFile` is given
 */
export async function openState(options: OpenStateOptions): Promise<OpenedState> {
  const { directory, logger, importFile } = options;
  const candidates = [
    ...(options.goStateFiles ?? []),
    ...["nodepass.gob", "gob/nodepass.gob"].map((name) => join(directory, name)),
  ];
  let movedIn: MovedIn | undefined;
  const backupIntervalMs = Math.min(Math.max(options.backupIntervalMs, 1000), 2_147_483_647);
  try {
    const opened = await openStore({
      directory,
      createInitial: () => {
        const initial = initialState(importFile, candidates);
        movedIn = initial.movedIn;
        return initial.state;
      },
      backupIntervalMs,
      // With the 250 ms that a worker may be behind, and the time of a write, below the second that a
      // kill -9 may cost.
      counterIntervalMs: 500,
      logger,
    });
    if (importFile !== undefined && movedIn === undefined) {
      opened.store.destroy();
      throw new MasterServerError(
        "IMPORT_FAILED",
        `${directory} has a state already: ${importFile} is taken over only where there is none`,
      );
    }
    if (movedIn !== undefined) {
      const { file, instances } = movedIn;
      logger.info({ file, instances }, "state of the Go program taken over");
    }
    return { ...opened, movedIn };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // What the initial state could not be made of.
    if (error.cause instanceof MasterServerError) throw error.cause;
    const code = error.code === "LOCKED" ? "STATE_LOCKED" : "STATE_UNUSABLE";
    throw new MasterServerError(code, error.message, { cause: error });
  }
}
