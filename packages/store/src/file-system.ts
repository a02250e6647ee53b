import * as nodeFileSystem from "node:fs/promises";

/** An open file, as far as the store uses it. */
export interface StoreFileHandle {
  readFile(): Promise<Uint8Array>;
  writeFile(data: Uint8Array): Promise<void>;
  stat(): Promise<StoreFileStat>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreFileStat {
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
}

/** The calls of `node:fs/promises` that the store makes; tests let them fail one by one. */
export interface StoreFileSystem {
  open(path: string, flags: string, mode?: number): Promise<StoreFileHandle>;
  stat(path: string): Promise<StoreFileStat>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, options: { recursive: boolean; mode: number }): Promise<string | undefined>;
  rmdir(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
}

/** The real one. */
export const realFileSystem: StoreFileSystem = nodeFileSystem;
