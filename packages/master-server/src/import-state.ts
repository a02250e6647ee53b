import { readFileSync } from "node:fs";
import { type GoState, GoStateError, readGoState } from "@nodepass/go-state";
import type { Logger } from "@nodepass/logging";
import { openStore, StoreError } from "@nodepass/store";
import { MasterServerError } from "./master-server-error.ts";
import { stateOf } from "./move-in.ts";

/** What another master kept, as the Go program's file or a master's API tells it. */
export type KeptState = GoState;

/** Whose state, and where it comes from. */
export interface ImportStateOptions {
  /** Of a master that has never run. */
  readonly stateDirectory: string;
  /** The file of the Go program, or what a master's API told. */
  readonly from: string | KeptState;
  readonly logger: Pick<Logger, "debug" | "info" | "warn" | "error">;
}

/**
 * Makes the state of a master that has none from that of another.
 *
 * @returns how many instances came along, once they are on disk
 * @throws {MasterServerError} `IMPORT_FAILED`, also where there is a state already; `STATE_LOCKED`,
 *   `STATE_UNUSABLE`
 * @example
 * const count = await importState({ stateDirectory, from: "/gob/nodepass.gob", logger });
 */
export async function importState(options: ImportStateOptions): Promise<number> {
  const { stateDirectory: directory, from, logger } = options;
  const state = stateOf(typeof from === "string" ? readFile(from) : from);
  try {
    const { store, fresh } = await openStore({ directory, createInitial: () => state, logger });
    await store.close();
    if (fresh) return state.instances.length;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const code = error.code === "LOCKED" ? "STATE_LOCKED" : "STATE_UNUSABLE";
    throw new MasterServerError(code, error.message, { cause: error });
  }
  throw new MasterServerError(
    "IMPORT_FAILED",
    `${directory} has a state already: another is taken over only where there is none`,
  );
}

function readFile(file: string): GoState {
  try {
    return readGoState(readFileSync(file));
  } catch (error) {
    const known = error instanceof GoStateError || (error instanceof Error && "code" in error);
    if (!known) throw error;
    const what = error instanceof GoStateError ? ", it is no whole nodepass.gob" : "";
    throw new MasterServerError(
      "IMPORT_FAILED",
      `${file} can't be taken over${what}: ${error.message}`,
      { cause: error },
    );
  }
}
