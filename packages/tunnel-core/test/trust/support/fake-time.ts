import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where Linux systems have libraries. */
const PLACES = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
const LIBRARY = "libfaketimeMT.so.1";

/** The clock of processes that were started with `env`: what it tells is the test's to set. */
export interface FakeTime {
  readonly env: Readonly<Record<string, string>>;
  /** The wall clock tells so many seconds more than the machine's; less if negative. */
  set(seconds: number): void;
  close(): void;
}

/** The library of the package `faketime`; `undefined` if it isn't installed. */
export function findFakeTimeLibrary(): string | undefined {
  if (process.platform !== "linux") return undefined;
  for (const place of PLACES) {
    // Debian has a folder for each architecture.
    const folders = ["", ...list(place).filter((name) => name.endsWith("-linux-gnu"))];
    for (const folder of folders) {
      const at = join(place, folder, "faketime");
      if (list(at).includes(LIBRARY)) return join(at, LIBRARY);
    }
  }
  return undefined;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not every system has it.
    return [];
  }
}

/** @param monotonic the clock that timers go by jumps as well, as after a suspend on some systems */
export function createFakeTime(library: string, monotonic: boolean): FakeTime {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-"));
  const file = join(folder, "clock");
  const set = (seconds: number): void => {
    // Renamed, so that it is never read half-written.
    writeFileSync(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      ...(!monotonic && { DONT_FAKE_MONOTONIC: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" }),
    },
    set,
    close: () => rmSync(folder, { recursive: true }),
  };
}
