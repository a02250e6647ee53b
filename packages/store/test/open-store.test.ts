import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeState } from "../src/decode-state.ts";
import { encodeState } from "../src/encode-state.ts";
import { openStore, openStoreWith } from "../src/open-store.ts";
import { encodeEnvelope, pack } from "../src/state-envelope.ts";
import { recordingLogger } from "./support/recording-logger.ts";
import { sampleState, sequenceOf } from "./support/sample-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";
import { storeErrorOf } from "./support/store-error.ts";

const STATE = "nodepass.msgpack";
const BACKUP = "nodepass.msgpack.backup";
const NOW = Date.UTC(2026, 10, 23, 10, 45, 0, 123);
const scratch = useScratchDirectories();

/** Opens and closes; a new state has sequence 100. */
async function visit(directory: string) {
  const logger = recordingLogger();
  const { store, ...found } = await openStoreWith(
    { directory, logger, createInitial: () => sampleState(100) },
    { now: () => NOW },
  );
  await store.close();
  return { ...found, records: logger.records };
}

async function stateIn(directory: string, name = STATE): Promise<number> {
  return sequenceOf(decodeState(await readFile(join(directory, name))).state);
}

describe("a new directory", () => {
  test("gets a state, a backup and private modes", async () => {
    const parent = join(await scratch(), "a");
    const directory = join(parent, "b");
    const { store, state, fresh, recovered } = await openStore({
      directory,
      createInitial: () => sampleState(1),
    });
    expect({ fresh, recovered }).toEqual({ fresh: true, recovered: undefined });
    expect(state).toEqual(sampleState(1));
    expect((await readdir(directory)).sort()).toEqual([STATE, BACKUP, "nodepass.msgpack.lock"]);
    for (const [path, mode] of [
      [parent, 0o700],
      [directory, 0o700],
      [join(directory, STATE), 0o600],
      [join(directory, BACKUP), 0o600],
    ] as const) {
      expect((await stat(path)).mode & 0o777, path).toBe(mode);
    }
    await store.close();
    expect((await readdir(directory)).sort()).toEqual([STATE, BACKUP]);
  });

  test("keeps the modes private under a lenient umask and in a directory open to all", async () => {
    const directory = await scratch();
    await chmod(directory, 0o777);
    const before = process.umask(0);
    try {
      await visit(directory);
    } finally {
      process.umask(before);
    }
    expect((await stat(join(directory, STATE))).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, BACKUP))).mode & 0o777).toBe(0o600);
  });

  test("stays without a lock if the first state is none", async () => {
    const directory = await scratch();
    const createInitial = () => ({ ...sampleState(1), apiKey: "" });
    expect((await storeErrorOf(() => openStore({ directory, createInitial }))).code).toBe(
      "INVALID_STATE",
    );
    const fails = () => {
      throw new Error("no entropy");
    };
    await storeErrorOf(() => openStore({ directory, createInitial: fails }));
    expect(await readdir(directory)).toEqual([]);
  });
});

test("gives back what was saved, and asks for no new state", async () => {
  const directory = await scratch();
  const options = { directory, createInitial: () => sampleState(1) };
  const first = await openStore(options);
  await first.store.save(() => sampleState(2, 1000));
  await first.store.close();
  const second = await openStore({
    directory,
    createInitial: () => {
      throw new Error("not needed");
    },
  });
  expect(second).toMatchObject({ fresh: false, recovered: undefined, migratedFrom: undefined });
  expect(second.state).toEqual(sampleState(2, 1000));
  await second.store.close();
});

describe("a damaged state file", () => {
  const good = encodeState(sampleState(5, 4));
  const cases: [string, Uint8Array][] = [
    ["empty", Buffer.alloc(0)],
    ["half", good.subarray(0, good.length / 2)],
    ["one byte short", good.subarray(0, -1)],
    ["with a flipped bit", Buffer.from(good).fill((good[99] ?? 0) ^ 4, 99, 100)],
    ["zeros, as after a power cut", Buffer.alloc(good.length)],
    ["of another program", Buffer.from("#!/bin/sh\necho hello\n")],
  ];

  test.each(cases)(
    "(%s) is set aside, and the backup loaded, reported and logged",
    async (_, damaged) => {
      const directory = await scratch();
      await writeFile(join(directory, STATE), damaged);
      await writeFile(join(directory, BACKUP), encodeState(sampleState(4)));
      const { state, fresh, recovered, records } = await visit(directory);
      const aside = join(directory, `${STATE}.damaged-20261123T104500Z`);
      expect(sequenceOf(state)).toBe(4);
      expect(fresh).toBe(false);
      expect(recovered).toMatchObject({
        source: "backup",
        damaged: [{ file: join(directory, STATE), setAside: aside }],
      });
      expect(await readFile(aside)).toEqual(Buffer.from(damaged));
      expect(await stateIn(directory)).toBe(4);
      expect(await stateIn(directory, BACKUP)).toBe(4);
      expect(
        records.filter(({ level }) => level === "error").map(({ message }) => message),
      ).toEqual(["damaged file set aside", "state file unusable, backup loaded"]);
      expect((await visit(directory)).recovered).toBeUndefined();
    },
  );

  test("never takes the place of one that was set aside before", async () => {
    const directory = await scratch();
    for (const text of ["first", "second", "third"]) {
      await writeFile(join(directory, STATE), text);
      await visit(directory);
    }
    const kept = (await readdir(directory)).filter((name) => name.includes("damaged")).sort();
    const base = `${STATE}.damaged-20261123T104500Z`;
    expect(kept).toEqual([base, `${base}-2`, `${base}-3`]);
    const texts = await Promise.all(kept.map((name) => readFile(join(directory, name), "utf8")));
    expect(texts).toEqual(["first", "second", "third"]);
  });

  test("without a usable backup: both are set aside, a new state is made, and it is said loudly", async () => {
    const directory = await scratch();
    await writeFile(join(directory, STATE), "bad state");
    await writeFile(join(directory, BACKUP), "bad backup");
    const { state, fresh, recovered, records } = await visit(directory);
    expect(sequenceOf(state)).toBe(100);
    expect(fresh).toBe(true);
    expect(recovered?.source).toBe("initial");
    const texts = recovered?.damaged.map(({ setAside = "" }) => readFile(setAside, "utf8")) ?? [];
    expect(await Promise.all(texts)).toEqual(["bad state", "bad backup"]);
    expect(await stateIn(directory)).toBe(100);
    expect(await stateIn(directory, BACKUP)).toBe(100);
    expect(records.filter(({ level }) => level === "error")).toHaveLength(3);
  });

  test("that is gone altogether is made up from the backup", async () => {
    const directory = await scratch();
    await writeFile(join(directory, BACKUP), encodeState(sampleState(4)));
    const { state, recovered } = await visit(directory);
    expect(sequenceOf(state)).toBe(4);
    expect(recovered).toEqual({
      source: "backup",
      damaged: [{ file: join(directory, STATE), reason: "it does not exist", setAside: undefined }],
    });
  });

  test("leaves a damaged backup alone as long as the state is whole", async () => {
    const directory = await scratch();
    await writeFile(join(directory, STATE), encodeState(sampleState(5)));
    await writeFile(join(directory, BACKUP), "bad backup");
    await utimes(join(directory, BACKUP), NOW / 1000, NOW / 1000);
    const { state, recovered } = await visit(directory);
    expect(sequenceOf(state)).toBe(5);
    expect(recovered).toBeUndefined();
    expect(await readFile(join(directory, BACKUP), "utf8")).toBe("bad backup");
  });
});

describe("files that must not be touched", () => {
  const future = encodeEnvelope({ version: 2, body: pack(new Map([["version", 2]])) });
  const damaged = Buffer.from("damaged");

  test.each([
    ["a state of the future", { [STATE]: future }, "FUTURE_VERSION"],
    [
      "a state of the future with a good backup",
      { [STATE]: future, [BACKUP]: encodeState(sampleState(1)) },
      "FUTURE_VERSION",
    ],
    [
      "a damaged state with a backup of the future",
      { [STATE]: damaged, [BACKUP]: future },
      "FUTURE_VERSION",
    ],
    ["a missing state with a backup of the future", { [BACKUP]: future }, "FUTURE_VERSION"],
    ["a state beyond the limit", { [STATE]: Buffer.alloc(2049) }, "TOO_LARGE"],
    [
      "a damaged state with a backup beyond the limit",
      { [STATE]: damaged, [BACKUP]: Buffer.alloc(2049) },
      "TOO_LARGE",
    ],
  ] as const)("%s stops the start and stays as it is", async (_, files, code) => {
    const directory = await scratch();
    for (const [name, bytes] of Object.entries(files))
      await writeFile(join(directory, name), bytes);
    const open = () =>
      openStore({ directory, maxFileBytes: 2048, createInitial: () => sampleState(100) });
    const error = await storeErrorOf(open);
    expect(error.code).toBe(code);
    expect(error.message).toContain(directory);
    expect((await readdir(directory)).sort()).toEqual(Object.keys(files).sort());
    for (const [name, bytes] of Object.entries(files)) {
      expect((await readFile(join(directory, name))).equals(bytes)).toBe(true);
    }
  });

  test.each([STATE, BACKUP])("a directory in place of %s stops the start", async (name) => {
    const directory = await scratch();
    await mkdir(join(directory, name));
    if (name === BACKUP) await writeFile(join(directory, STATE), damaged);
    const error = await storeErrorOf(() => visit(directory));
    expect(error.code).toBe("UNREADABLE");
    expect(error.message).toContain("is not a regular file");
  });
});

test("a file of an older version is converted, and a copy of it kept", async () => {
  const directory = await scratch();
  const old = encodeEnvelope({ version: 0, body: pack(new Map([["name", "42"]])) });
  await writeFile(join(directory, STATE), old);
  const options = { directory, createInitial: () => sampleState(100) };
  const migrations = {
    0: (body: unknown) => sampleState(Number((body as { name: string }).name), 2),
  };
  const { store, state, migratedFrom, fresh } = await openStoreWith(options, {
    migrations,
    now: () => NOW,
  });
  await store.close();
  expect({ migratedFrom, fresh, sequence: sequenceOf(state) }).toEqual({
    migratedFrom: 0,
    fresh: false,
    sequence: 42,
  });
  const kept = join(directory, `${STATE}.version-0-20261123T104500Z`);
  expect((await readFile(kept)).equals(old)).toBe(true);
  expect((await stat(kept)).mode & 0o777).toBe(0o600);
  expect(await stateIn(directory)).toBe(42);
  expect((await visit(directory)).migratedFrom).toBeUndefined();
});

test("what killed writes left is removed, and nothing else", async () => {
  const directory = await scratch();
  const mine = [`${STATE}.0123456789abcdef.tmp`, `${BACKUP}.0123456789abcdef.tmp`];
  const others = ["notes.tmp", `${STATE}.old.tmp`, `${STATE}.damaged-20200101T000000Z`];
  for (const name of [...mine, ...others]) await writeFile(join(directory, name), "x");
  await visit(directory);
  expect((await readdir(directory)).sort()).toEqual([STATE, BACKUP, ...others].sort());
});

describe("options that cannot be", () => {
  test.each([{ directory: "" }, { backupIntervalMs: 5 }])("%o are refused", async (wrong) => {
    const options = { directory: await scratch(), createInitial: () => sampleState(1), ...wrong };
    expect((await storeErrorOf(() => openStore(options))).code).toBe("INVALID_OPTIONS");
  });

  test("a directory that is a file is refused with the reason", async () => {
    const file = join(await scratch(), "file");
    await writeFile(file, "x");
    for (const directory of [file, join(file, "below")]) {
      const error = await storeErrorOf(() => visit(directory));
      expect(error.code).toBe("DIRECTORY_UNUSABLE");
      expect(error.message).toContain(directory);
    }
  });

  // Node's recursive mkdir turns round for ever in there.
  test.skipIf(process.platform !== "linux")(
    "a place where no directory can be made is refused with the reason",
    async () => {
      const directory = "/proc/nodepass/state";
      const error = await storeErrorOf(() => visit(directory));
      expect(error).toMatchObject({ code: "DIRECTORY_UNUSABLE" });
      expect(error.message).toMatch(
        /^\/proc\/nodepass\/state cannot hold the state: .*\(ENOENT\)$/,
      );
    },
  );
});
