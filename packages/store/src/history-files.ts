import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "./store-error.ts";

/** Name of the folder in the state directory. */
export const HISTORY_FOLDER = "history";

/**
 * One file for each instance with what it did, beside the state: written now and then, whole or not
 * at all, but not made to survive a power cut. Its content is the caller's business.
 */
export interface HistoryFiles {
  /** @returns `undefined` if there is none */
  read(id: string): Promise<Uint8Array | undefined>;
  write(id: string, bytes: Uint8Array): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Larger than any history: what is larger is none of ours, bytes. */
const MAX_BYTES = 1024 * 1024;

/**
 * The histories in a state directory, which its owner holds the lock of.
 *
 * Every call rejects with the system's error.
 */
export function historyFiles(stateDirectory: string): HistoryFiles {
  const folder = join(stateDirectory, HISTORY_FOLDER);
  const pathOf = (id: string): string => {
    if (!/^[\w-]{1,64}$/.test(id)) throw new TypeError(`no file for id ${JSON.stringify(id)}`);
    return join(folder, id);
  };
  return {
    async read(id) {
      try {
        const bytes = await readFile(pathOf(id));
        return bytes.length > MAX_BYTES ? undefined : bytes;
      } catch (error) {
        if (systemCode(error) === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(id, bytes) {
      const path = pathOf(id);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
      try {
        await writeFile(temporary, bytes, { flag: "wx", mode: 0o600 });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    remove: (id) => rm(pathOf(id), { force: true }),
  };
}
