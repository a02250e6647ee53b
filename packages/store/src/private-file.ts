import { takeDirectoryLock } from "./directory-lock.ts";
import { readWholeFile, replaceFile } from "./durable-file.ts";
import { realFileSystem } from "./file-system.ts";

/**
 * Replaces a file beside the state, for its owner only (0600): at every moment the old or the new
 * content is there, whole. One call after the other.
 *
 * @returns resolves when the new content would survive a power cut
 * @throws the system's error; the old content stays
 */
export function replacePrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  return replaceFile(realFileSystem, path, bytes, () => Promise.resolve());
}

/**
 * @returns `undefined` if there is no such file
 * @throws {StoreError} `TOO_LARGE`, `UNREADABLE` if it is no regular file; or the system's error
 */
export function readPrivateFile(
  path: string,
  maxFileBytes: number,
): Promise<Uint8Array | undefined> {
  return readWholeFile(realFileSystem, path, maxFileBytes);
}

/**
 * Holds a state directory while its master does not run, for changes of the files beside the state.
 *
 * @returns lets go of it
 * @throws {StoreError} `LOCKED` with the pid of the holder; or the system's error
 */
export async function holdDirectory(directory: string): Promise<() => Promise<void>> {
  const { release } = await takeDirectoryLock(realFileSystem, directory);
  return release;
}
