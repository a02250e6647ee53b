import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { decodeState } from "../src/decode-state.ts";
import { encodeState } from "../src/encode-state.ts";
import { openStore, openStoreWith } from "../src/open-store.ts";
import { recordingLogger } from "./support/recording-logger.ts";
import { sampleState, sequenceOf } from "./support/sample-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";
import { storeErrorOf } from "./support/store-error.ts";
import {
  type FileSystemCall,
  systemError,
  watchFileSystem,
} from "./support/watched-file-system.ts";

const STATE = "nodepass.msgpack";
const BACKUP = "nodepass.msgpack.backup";
const scratch = useScratchDirectories();

async function sequenceIn(directory: string, name = STATE): Promise<number> {
  return sequenceOf(decodeState(await readFile(join(directory, name))).state);
}

/** A store whose file system calls are recorded and fail where `fails` says so. */
async function openWatched(directory: string) {
  const calls: FileSystemCall[] = [];
  const control: { fails: (call: FileSystemCall) => string | undefined } = {
    fails: () => undefined,
  };
  const fileSystem = watchFileSystem((call) => {
    calls.push(call);
    const code = control.fails(call);
    if (code !== undefined) throw systemError(code);
  });
  const logger = recordingLogger();
  const { store } = await openStoreWith(
    { directory, logger, counterIntervalMs: 10, createInitial: () => sampleState(1) },
    { fileSystem },
  );
  calls.length = 0;
  return { store, calls, control, logger };
}

const renames = (calls: FileSystemCall[]) => calls.filter(({ name }) => name === "rename").length;

describe("save", () => {
  test("syncs the file, renames it and syncs the directory before it resolves", async () => {
    const directory = await scratch();
    const { store, calls } = await openWatched(directory);
    await store.save(() => sampleState(2));
    expect(calls.map(({ name }) => name)).toEqual([
      "open-wx",
      "write",
      "sync",
      "stat", // the lock
      "rename",
      "open-r",
      "sync",
    ]);
    expect(calls[2]?.path).toMatch(/\.tmp$/);
    expect(calls[4]?.path).toBe(join(directory, STATE));
    expect(calls[6]?.path).toBe(directory);
    await store.close();
  });

  test("200 at once: the last state is on disk, by two writes at most", async () => {
    const directory = await scratch();
    const { store, calls } = await openWatched(directory);
    let current = 1;
    const saves = Array.from({ length: 200 }, () => {
      current++;
      return store.save(() => sampleState(current));
    });
    await Promise.all(saves);
    expect(await sequenceIn(directory)).toBe(201);
    expect(renames(calls)).toBeLessThanOrEqual(2);
    await store.close();
    expect(await sequenceIn(directory)).toBe(201);
  });

  test("200 one after the other at random moments: each is there when it resolves", async () => {
    const directory = await scratch();
    const { store, calls } = await openWatched(directory);
    let current = 1;
    const change = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) await new Promise((next) => setImmediate(next));
      const mine = ++current;
      await store.save(() => sampleState(current));
      expect(await sequenceIn(directory)).toBeGreaterThanOrEqual(mine);
    };
    await Promise.all(Array.from({ length: 200 }, (_, index) => change((index * 7) % 83)));
    expect(await sequenceIn(directory)).toBe(201);
    expect(renames(calls)).toBeLessThan(200);
    await store.close();
  });

  test("refuses a state that could not be loaded, and the file stays", async () => {
    const directory = await scratch();
    const { store, logger } = await openWatched(directory);
    const bad = { ...sampleState(2), masterId: "?" };
    expect((await storeErrorOf(() => store.save(() => bad))).code).toBe("INVALID_STATE");
    const throwing = () => {
      throw new TypeError("registry is gone");
    };
    const error = await storeErrorOf(() => store.save(throwing));
    expect(error.code).toBe("INVALID_STATE");
    expect(error.message).toContain("registry is gone");
    expect(store.failure).toBe(error);
    expect(await sequenceIn(directory)).toBe(1);
    await store.save(() => sampleState(3));
    expect(store.failure).toBeUndefined();
    expect(logger.records.at(-1)?.message).toBe("state saved again");
    await store.close();
  });

  test("refuses a state that is larger than what would be read", async () => {
    const directory = await scratch();
    const options = { directory, maxFileBytes: 4096, createInitial: () => sampleState(1) };
    const { store } = await openStore(options);
    const error = await storeErrorOf(() => store.save(() => sampleState(2, 100)));
    expect(error.code).toBe("TOO_LARGE");
    expect(await sequenceIn(directory)).toBe(1);
    await store.save(() => sampleState(3));
    await store.close();
  });
});

describe("saveSoon", () => {
  test("writes without being waited for, and not at all if nothing changed", async () => {
    const directory = await scratch();
    const { store, calls } = await openWatched(directory);
    store.saveSoon(() => sampleState(2));
    await vi.waitFor(async () => expect(await sequenceIn(directory)).toBe(2));
    await vi.waitFor(() => expect(calls.at(-1)?.name).toBe("sync"));
    let asked = 0;
    store.saveSoon(() => {
      asked++;
      return sampleState(2);
    });
    await vi.waitFor(() => expect(asked).toBe(1));
    await store.backup();
    expect(renames(calls.filter(({ path }) => path === join(directory, STATE)))).toBe(1);
    await store.close();
  });

  test("is made up for by close, if its time has not come", async () => {
    const directory = await scratch();
    const { store } = await openStore({
      directory,
      counterIntervalMs: 3_600_000,
      createInitial: () => sampleState(1),
    });
    store.saveSoon(() => sampleState(2));
    await store.save(() => sampleState(3));
    store.saveSoon(() => sampleState(4));
    await store.close();
    expect(await sequenceIn(directory)).toBe(4);
  });

  test("tries again by itself after a failure, and logs the trouble once", async () => {
    const directory = await scratch();
    const { store, control, logger } = await openWatched(directory);
    let failures = 0;
    control.fails = ({ name }) => {
      if (name !== "write" || failures === 3) return undefined;
      failures++;
      return "ENOSPC";
    };
    store.saveSoon(() => sampleState(2));
    await vi.waitFor(async () => expect(await sequenceIn(directory)).toBe(2), { timeout: 20_000 });
    await vi.waitFor(() => expect(store.failure).toBeUndefined());
    expect(failures).toBe(3);
    expect(logger.records.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      "debug: state backed up",
      "error: state not saved",
      "info: state saved again",
    ]);
    expect(logger.records[1]?.fields.reason).toContain("no space left on the disk (ENOSPC)");
    await store.close();
  });
});

describe("a call that fails", () => {
  test.each(["ENOSPC", "EIO", "EROFS", "EDQUOT"])(
    "with %s at any step of a write leaves the old or the new state, no litter, and a store that works",
    async (code) => {
      const directory = await scratch();
      const { store, calls, control } = await openWatched(directory);
      await store.save(() => sampleState(2));
      const steps = calls.length;
      let sequence = 2;
      for (let step = 1; step <= steps; step++) {
        const failAt = (calls.at(-1)?.number ?? 0) + step;
        control.fails = ({ number }) => (number === failAt ? code : undefined);
        const before = sequence;
        const next = ++sequence;
        const error = await storeErrorOf(() => store.save(() => sampleState(next)));
        expect(error.code, `step ${step}`).toBe("WRITE_FAILED");
        expect(error.message).toContain(`(${code})`);
        expect([before, next]).toContain(await sequenceIn(directory));
        control.fails = () => undefined;
        const last = ++sequence;
        await store.save(() => sampleState(last));
        expect(await sequenceIn(directory)).toBe(last);
        expect((await readdir(directory)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      }
      await store.close();
    },
  );

  test("at any step of recovery ends it with an error, and the next start recovers", async () => {
    const directory = await scratch();
    const options = { directory, createInitial: () => sampleState(100) };
    const open = (before: (call: FileSystemCall) => void) =>
      openStoreWith(options, { fileSystem: watchFileSystem(before) });
    await writeFile(join(directory, BACKUP), encodeState(sampleState(1)));
    await writeFile(join(directory, STATE), "damaged");
    const steps: string[] = [];
    const { store } = await open(({ name }) => steps.push(name));
    const opening = steps.length;
    await store.close();
    steps.length = opening;
    for (const [index, step] of steps.entries()) {
      await writeFile(join(directory, STATE), "damaged");
      const failed = storeErrorOf(() =>
        open(({ number }) => {
          if (number === index + 1) throw systemError("EIO");
        }),
      );
      expect((await failed).message, `${index}: ${step}`).toContain("(EIO)");
      const again = await openStore(options);
      expect(sequenceOf(again.state), `${index}: ${step}`).toBe(1);
      await again.store.close();
    }
    expect(steps.length).toBeGreaterThan(20);
    expect((await readdir(directory)).filter((name) => /tmp|lock/.test(name))).toEqual([]);
  });

  test("at the last write rejects close, which frees the lock all the same", async () => {
    const directory = await scratch();
    const { store, control } = await openWatched(directory);
    control.fails = ({ name }) => (name === "write" ? "ENOSPC" : undefined);
    store.saveSoon(() => sampleState(2));
    expect((await storeErrorOf(() => store.close())).code).toBe("WRITE_FAILED");
    const again = await openStore({ directory, createInitial: () => sampleState(9) });
    expect(again.state).toEqual(sampleState(1));
    await again.store.close();
  });
});

describe("backup", () => {
  test("copies the state on disk, with its own file, whole", async () => {
    const directory = await scratch();
    const { store } = await openStore({ directory, createInitial: () => sampleState(1) });
    await store.save(() => sampleState(2));
    expect(await sequenceIn(directory, BACKUP)).toBe(1);
    await store.backup();
    expect(await sequenceIn(directory, BACKUP)).toBe(2);
    expect((await stat(join(directory, BACKUP))).mode & 0o777).toBe(0o600);
    await store.close();
    expect((await storeErrorOf(() => store.backup())).code).toBe("CLOSED");
  });

  test("never replaces a good backup by a damaged or missing state, and the state is mended", async () => {
    const directory = await scratch();
    const { store } = await openWatched(directory);
    await writeFile(join(directory, STATE), "damaged");
    expect((await storeErrorOf(() => store.backup())).code).toBe("UNREADABLE");
    await rm(join(directory, STATE));
    expect((await storeErrorOf(() => store.backup())).code).toBe("UNREADABLE");
    expect(await sequenceIn(directory, BACKUP)).toBe(1);
    store.saveSoon(() => sampleState(1));
    await vi.waitFor(async () => expect(await sequenceIn(directory)).toBe(1));
    await store.close();
  });

  test("is made again and again by itself, and a failure is logged", async () => {
    const directory = await scratch();
    const logger = recordingLogger();
    const { store } = await openStore({
      directory,
      logger,
      backupIntervalMs: 1000,
      createInitial: () => sampleState(1),
    });
    await store.save(() => sampleState(2));
    await vi.waitFor(async () => expect(await sequenceIn(directory, BACKUP)).toBe(2), 20_000);
    await writeFile(join(directory, STATE), "damaged");
    await vi.waitFor(
      () =>
        expect(logger.records.at(-1)).toMatchObject({ level: "error", message: "backup failed" }),
      20_000,
    );
    await store.close();
  });

  test("is made at the start if the last one is older than the interval", async () => {
    const directory = await scratch();
    const options = { directory, backupIntervalMs: 60_000, createInitial: () => sampleState(1) };
    const first = await openStore(options);
    await first.store.save(() => sampleState(2));
    await first.store.close();
    const soon = await openStoreWith(options, { now: () => Date.now() + 30_000 });
    expect(await sequenceIn(directory, BACKUP)).toBe(1);
    await soon.store.close();
    const late = await openStoreWith(options, { now: () => Date.now() + 90_000 });
    expect(await sequenceIn(directory, BACKUP)).toBe(2);
    await late.store.close();
  });

  test("that cannot be made at the start does not keep the master from starting", async () => {
    const directory = await scratch();
    const logger = recordingLogger();
    const fileSystem = watchFileSystem(({ name, path }) => {
      if (name === "write" && path.includes(BACKUP)) throw systemError("ENOSPC");
    });
    const { store, state } = await openStoreWith(
      { directory, logger, createInitial: () => sampleState(1) },
      { fileSystem },
    );
    expect(sequenceOf(state)).toBe(1);
    expect(logger.records.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      "error: backup failed",
    ]);
    await store.close();
  });
});

describe("the end", () => {
  test("close can be called twice and by await using; saves after it are refused", async () => {
    const directory = await scratch();
    const { store } = await openStore({ directory, createInitial: () => sampleState(1) });
    await Promise.all([store.close(), store.close(), store[Symbol.asyncDispose]()]);
    expect((await storeErrorOf(() => store.save(() => sampleState(2)))).code).toBe("CLOSED");
    store.saveSoon(() => sampleState(2));
    store.destroy();
    expect(await sequenceIn(directory)).toBe(1);
  });

  test("destroy rejects who waits, writes nothing more and frees the lock", async () => {
    const directory = await scratch();
    const { store } = await openStore({ directory, createInitial: () => sampleState(1) });
    const waiting = storeErrorOf(() => store.save(() => sampleState(2)));
    const cause = new Error("worker crashed");
    store.destroy(cause);
    store.destroy();
    expect(await waiting).toMatchObject({ code: "CLOSED", cause });
    await store.close();
    const again = await openStore({ directory, createInitial: () => sampleState(9) });
    expect(again.state).toEqual(sampleState(1));
    await again.store.close();
  });
});
