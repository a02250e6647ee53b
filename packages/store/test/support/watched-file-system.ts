import { realFileSystem, type StoreFileSystem } from "../../src/file-system.ts";

/** One call that is about to be made: `rename <path>`, `sync <path>`. */
export interface FileSystemCall {
  /** Counts from 1. */
  number: number;
  name: string;
  path: string;
}

/** The real file system, with `before` called ahead of each call; if that throws, the call fails. */
export function watchFileSystem(before: (call: FileSystemCall) => void): StoreFileSystem {
  let number = 0;
  const call = async <T>(name: string, path: string, make: () => Promise<T>): Promise<T> => {
    before({ number: ++number, name, path });
    return make();
  };
  const real = realFileSystem;
  return {
    async open(path, flags, mode) {
      const handle = await call(`open-${flags}`, path, () => real.open(path, flags, mode));
      return {
        readFile: () => call("read", path, () => handle.readFile()),
        writeFile: (data) => call("write", path, () => handle.writeFile(data)),
        stat: () => call("fstat", path, () => handle.stat()),
        sync: () => call("sync", path, () => handle.sync()),
        // Not counted: it must happen, or the test leaks descriptors.
        close: () => handle.close(),
      };
    },
    stat: (path) => call("stat", path, () => real.stat(path)),
    rename: (from, to) => call("rename", to, () => real.rename(from, to)),
    unlink: (path) => call("unlink", path, () => real.unlink(path)),
    mkdir: (path, options) => call("mkdir", path, () => real.mkdir(path, options)),
    rmdir: (path) => call("rmdir", path, () => real.rmdir(path)),
    readdir: (path) => call("readdir", path, () => real.readdir(path)),
  };
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}
