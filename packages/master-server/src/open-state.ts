import { existsSync } from "node:fs";
import { join } from "node:path";
import { createMasterState } from "@nodepass/instances";
import type { Logger } from "@nodepass/model";
import { type OpenedStore, openStore, StoreError } from "@nodepass/store";
import { MasterServerError } from "./master-server-error.ts";

/** Where the state lies and how often it is copied. */
export interface OpenStateOptions {
  readonly directory: string;
  /** `NP_RELOAD_INTERVAL`, ms; kept within what the store allows. */
  readonly backupIntervalMs: number;
  readonly logger: Logger;
}

/**
 * Opens the master's state, alone.
 *
 * @throws {MasterServerError} `STATE_LOCKED` saying who holds it, `STATE_UNUSABLE`
 */
export async function openState(options: OpenStateOptions): Promise<OpenedStore> {
  const { directory, logger } = options;
  const backupIntervalMs = Math.min(Math.max(options.backupIntervalMs, 1000), 2_147_483_647);
  try {
    const opened = await openStore({
      directory,
      createInitial: createMasterState,
      backupIntervalMs,
      logger,
    });
    if (opened.fresh) warnOfForeignState(directory, logger);
    return opened;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const code = error.code === "LOCKED" ? "STATE_LOCKED" : "STATE_UNUSABLE";
    throw new MasterServerError(code, error.message, { cause: error });
  }
}

/** Where NodePass 1.x keeps its state, seen from a folder that somebody moved along. */
const foreignNames = ["nodepass.gob", "gob/nodepass.gob"];

/** Says that instances of the other program do not come along: nobody should have to guess. */
function warnOfForeignState(directory: string, logger: Logger): void {
  for (const file of foreignNames.map((name) => join(directory, name)).filter(existsSync)) {
    logger.warn({ file }, "state of NodePass 1.x is not read: its instances have to be made again");
  }
}
