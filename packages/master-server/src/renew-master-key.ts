import { existsSync } from "node:fs";
import { join } from "node:path";
import { createApiKey } from "@nodepass/instances";
import type { Logger } from "@nodepass/logging";
import { BACKUP_NAME, STATE_NAME } from "@nodepass/store";
import { MasterServerError } from "./master-server-error.ts";
import { openState } from "./open-state.ts";

/** Whose key is renewed. */
export interface RenewMasterKeyOptions {
  readonly stateDirectory: string;
  /** Told what is found out about the state. */
  readonly logger: Pick<Logger, "debug" | "info" | "warn" | "error">;
}

/** Longer than this takes: the backup is made here. */
const backupIntervalMs = 3_600_000;

/**
 * Gives a master that does not run a new API key: for an owner who has lost the old one, and whom
 * the API would ask for it. Neither the state nor its backup knows the old key afterwards.
 *
 * @returns the new key, once it is on disk
 * @throws {MasterServerError} `STATE_LOCKED` while the master runs, `STATE_UNUSABLE`
 * @example
 * const apiKey = await renewMasterKey({ stateDirectory, logger });
 */
export async function renewMasterKey(options: RenewMasterKeyOptions): Promise<string> {
  const { stateDirectory: directory, logger } = options;
  // A slip in the directory's name must not make a second master.
  if (![STATE_NAME, BACKUP_NAME].some((name) => existsSync(join(directory, name)))) {
    throw new MasterServerError("STATE_UNUSABLE", `there is no state of a master in ${directory}`);
  }
  const { store, state } = await openState({ directory, backupIntervalMs, logger });
  try {
    const apiKey = createApiKey();
    await store.save(() => ({ ...state, apiKey }));
    await store.backup();
    return apiKey;
  } finally {
    await store.close();
  }
}
