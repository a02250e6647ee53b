import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { isConfigName } from "./find-files.ts";

/** What is watched, and who is told. */
export interface WatchConfigOptions {
  /** Files and folders, as for `loadConfig`, and the files with keys. */
  readonly paths: readonly string[];
  /** Something may have changed, and nothing has for `debounceMs` since. */
  onChange(): void;
  /** A folder can't be watched (any more): changes in it go unnoticed. */
  onError(folder: string, error: Error): void;
  /** Rest before `onChange`, ms: editors and copies write in several steps. @default 300 */
  readonly debounceMs?: number | undefined;
}

/** Watches until it is closed; `close` may be called again. */
export interface ConfigWatcher {
  close(): void;
}

/** Kubernetes swaps a link with such a name when it renews a mounted config map or secret. */
const SWAPPED = /^\.\./;

/**
 * Notices changes of configuration files. Folders are watched, not files: editors write a new file
 * and rename it, and the old one would be watched for ever.
 *
 * @example
 * const watcher = watchConfig({ paths: ["nodepass.yaml"], onChange: reload, onError: console.error });
 */
export function watchConfig(options: WatchConfigOptions): ConfigWatcher {
  const { onChange, onError, debounceMs = 300 } = options;
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const changed = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(onChange, debounceMs);
  };
  for (const [folder, isOurs] of watchedFolders(options.paths)) {
    try {
      // Not kept alive by it: what runs decides how long the process lives.
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || SWAPPED.test(name) || isOurs(name)) changed();
      });
      watcher.on("error", (error) => onError(folder, error));
      watchers.push(watcher);
    } catch (error) {
      onError(folder, error instanceof Error ? error : new Error(String(error)));
    }
  }
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Each folder once, with what tells the names that matter in it. */
function watchedFolders(paths: readonly string[]): Map<string, (name: string) => boolean> {
  const names = new Map<string, Set<string>>();
  const folders = new Map<string, (name: string) => boolean>();
  for (const path of paths) {
    if (isFolder(path)) {
      folders.set(path, isConfigName);
      continue;
    }
    const folder = dirname(path);
    const known = names.get(folder) ?? new Set();
    names.set(folder, known.add(basename(path)));
  }
  for (const [folder, known] of names) {
    const all = folders.get(folder);
    folders.set(folder, (name) => known.has(name) || all?.(name) === true);
  }
  return folders;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Gone at the moment: its folder tells when it is back.
    return false;
  }
}
