import { readFileSync, statSync } from "node:fs";
import type { GivenKeys } from "@nodepass/instances";
import type { Logger } from "@nodepass/model";
import { MasterServerError } from "./master-server-error.ts";

/** Where the keys of a master come from, if not from its state. A text wins over a file. */
export interface KeyOptions {
  /** The API key. */
  readonly apiKey?: string | undefined;
  /** A file with it, such as a mounted secret; read again when it changes. */
  readonly apiKeyFile?: string | undefined;
  /** The key that may only read. */
  readonly readKey?: string | undefined;
  /** A file with it. */
  readonly readKeyFile?: string | undefined;
}

/** Time between looks at the files, ms. */
const CHECK_INTERVAL_MS = 5000;
/** Shorter ones are guessed; longer ones are no keys. */
const KEY = /^[\x21-\x7e]{16,1024}$/;

/** The given keys, followed. */
export interface WatchedKeys {
  readonly current: GivenKeys;
  /** Looks at the files now. */
  check(): void;
  close(): void;
}

/**
 * Reads the given keys and follows their files.
 *
 * @param onChange called when a file has another key
 * @throws {MasterServerError} `INVALID_OPTIONS`, naming the option or the file; never the key
 */
export function watchGivenKeys(
  options: KeyOptions,
  logger: Logger,
  onChange: (keys: GivenKeys) => void,
): WatchedKeys {
  const read = (): GivenKeys => {
    const apiKey = readKey("apiKey", options.apiKey, options.apiKeyFile);
    const keyForReading = readKey("readKey", options.readKey, options.readKeyFile);
    if (apiKey !== undefined && apiKey === keyForReading) {
      throw new MasterServerError("INVALID_OPTIONS", "apiKey and readKey are the same key");
    }
    return { apiKey, readKey: keyForReading };
  };
  let current = read();
  const files = [options.apiKeyFile, options.readKeyFile].filter((file) => file !== undefined);
  let version = versionOf(files);
  const check = (): void => {
    const now = versionOf(files);
    if (now === version) return;
    version = now;
    try {
      const keys = read();
      if (keys.apiKey === current.apiKey && keys.readKey === current.readKey) return;
      current = keys;
      logger.info({}, "key file changed, its key is in force");
      onChange(keys);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ reason }, "changed key file not used, the old key stays");
    }
  };
  const timer = files.length === 0 ? undefined : setInterval(check, CHECK_INTERVAL_MS).unref();
  return {
    get current() {
      return current;
    },
    check,
    close: () => clearInterval(timer),
  };
}

function readKey(
  name: string,
  text: string | undefined,
  file: string | undefined,
): string | undefined {
  if (text !== undefined && text !== "") return checkKey(name, text);
  if (file === undefined || file === "") return undefined;
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const message = `${name}File ${file} cannot be read: ${reason}`;
    throw new MasterServerError("INVALID_OPTIONS", message, { cause: error });
  }
  return checkKey(`${name}File ${file}`, content.trim());
}

function checkKey(what: string, key: string): string {
  if (KEY.test(key)) return key;
  throw new MasterServerError(
    "INVALID_OPTIONS",
    `${what} holds a key of ${key.length} characters; allowed: 16 to 1024 printable ones without spaces`,
  );
}

/** Changes when a file is written or replaced; a missing one has a version too. */
function versionOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? "-" : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    })
    .join("\n");
}
