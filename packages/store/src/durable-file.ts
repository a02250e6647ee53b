import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { StoreFileSystem } from "./file-system.ts";
import { StoreError, systemCode } from "./store-error.ts";

const FILE_MODE = 0o600;
const TEMPORARY = /^(?:nodepass\.msgpack(?:\.backup)?|fleet\.msgpack)\.[0-9a-f]{16}\.tmp$/;

/** Makes renames and new names in a directory survive a power cut. */
export async function syncDirectory(fileSystem: StoreFileSystem, path: string): Promise<void> {
  const handle = await fileSystem.open(path, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot sync a directory; they do it by themselves.
    const code = systemCode(error);
    if (code !== "EINVAL" && code !== "ENOTSUP") throw error;
  } finally {
    await handle.close();
  }
}

async function writeNew(
  fileSystem: StoreFileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  // "wx" neither follows a link that somebody planted nor truncates a file that is there.
  const handle = await fileSystem.open(path, "wx", FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file so that at every moment either the old or the new content is there, whole.
 *
 * @param guard called when all is written, right before the rename; throws to keep the old file
 * @returns resolves when the new content would survive a power cut
 */
export async function replaceFile(
  fileSystem: StoreFileSystem,
  path: string,
  bytes: Uint8Array,
  guard: () => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    await writeNew(fileSystem, temporary, bytes);
    await guard();
    await fileSystem.rename(temporary, path);
  } catch (error) {
    // It may not exist, and if it cannot be removed now, the next start does.
    await fileSystem.unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(fileSystem, dirname(path));
}

/** Removes what writes of a killed process left. Only for the holder of the lock. */
export async function removeTemporaryFiles(
  fileSystem: StoreFileSystem,
  directory: string,
): Promise<number> {
  const leftovers = (await fileSystem.readdir(directory)).filter((name) => TEMPORARY.test(name));
  for (const name of leftovers) await fileSystem.unlink(join(directory, name));
  return leftovers.length;
}

/**
 * Reads a whole file.
 *
 * @returns `undefined` if there is none
 * @throws {StoreError} `TOO_LARGE`, `UNREADABLE` if it is no regular file; or the system's error
 */
export async function readWholeFile(
  fileSystem: StoreFileSystem,
  path: string,
  maxFileBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    // Before opening: to open a named pipe would wait for a writer.
    if (!(await fileSystem.stat(path)).isFile()) {
      throw new StoreError("UNREADABLE", `${path} is not a regular file`);
    }
    const handle = await fileSystem.open(path, "r");
    try {
      const { size } = await handle.stat();
      if (size > maxFileBytes) {
        throw new StoreError(
          "TOO_LARGE",
          `${path} of ${size} bytes exceeds maxFileBytes ${maxFileBytes}`,
        );
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** `20261123T104500Z` */
function stamp(now: number): string {
  return new Date(now).toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
}

/** Takes a name that nobody has, `<path>.<label>-<time>[-<n>]`, by making an empty file of it. */
async function reserveName(
  fileSystem: StoreFileSystem,
  path: string,
  label: string,
  now: number,
): Promise<string> {
  const first = `${path}.${label}-${stamp(now)}`;
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? first : `${first}-${attempt}`;
    try {
      await (await fileSystem.open(name, "wx", FILE_MODE)).close();
      return name;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }
}

/** Moves a file to a new name that says when and why, and never onto another file. */
export async function setAside(
  fileSystem: StoreFileSystem,
  path: string,
  label: string,
  now: number,
): Promise<string> {
  const name = await reserveName(fileSystem, path, label, now);
  await fileSystem.rename(path, name);
  await syncDirectory(fileSystem, dirname(path));
  return name;
}

/** Keeps a copy of a file's content under a new name that says when and why. */
export async function keepCopy(
  fileSystem: StoreFileSystem,
  path: string,
  bytes: Uint8Array,
  label: string,
  now: number,
): Promise<string> {
  const name = await reserveName(fileSystem, path, label, now);
  await replaceFile(fileSystem, name, bytes, () => Promise.resolve());
  return name;
}
