import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openStore } from "../src/open-store.ts";
import { formatIdentity, ownIdentity, type ProcessIdentity } from "../src/process-identity.ts";
import type { StateStore } from "../src/state-store.ts";
import { StoreError } from "../src/store-error.ts";
import { startChild } from "./support/child.ts";
import { recordingLogger } from "./support/recording-logger.ts";
import { sampleState } from "./support/sample-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";
import { storeErrorOf } from "./support/store-error.ts";

const LOCK = "nodepass.msgpack.lock";
/** Above the highest pid of Linux (2^22) and macOS. */
const NOBODY = 4_194_305;
const scratch = useScratchDirectories();
const open = (directory: string) => openStore({ directory, createInitial: () => sampleState(1) });

async function plantLock(directory: string, holder: Partial<ProcessIdentity>): Promise<string> {
  const name = formatIdentity({ ...ownIdentity(), ...holder });
  await mkdir(join(directory, LOCK), { recursive: true });
  await writeFile(join(directory, LOCK, name), "");
  return name;
}

describe("the lock", () => {
  test("keeps out a second store of the same process, until the first is closed", async () => {
    const directory = await scratch();
    const { store } = await open(directory);
    const error = await storeErrorOf(() => open(directory));
    expect(error).toMatchObject({ code: "LOCKED", holderPid: process.pid });
    expect(error.message).toContain(`held by this process ${process.pid}`);
    await store.save(() => sampleState(2));
    await store.close();
    await (await open(directory)).store.close();
  });

  test("keeps out another process and names the holder; after kill -9 it is taken over", async () => {
    const directory = await scratch();
    const child = startChild("holder.ts", [directory]);
    child.process.stdin?.write("go\n");
    await child.line("held");
    const error = await storeErrorOf(() => open(directory));
    expect(error).toMatchObject({ code: "LOCKED", holderPid: child.process.pid });
    child.process.kill("SIGKILL");
    expect(await child.ended).toBe("SIGKILL");
    const logger = recordingLogger();
    const { store } = await openStore({ directory, logger, createInitial: () => sampleState(1) });
    expect(logger.records[0]).toMatchObject({
      level: "warn",
      fields: { pid: child.process.pid },
    });
    await store.close();
  });

  test("of a process that ended in order is gone", async () => {
    const directory = await scratch();
    const child = startChild("holder.ts", [directory]);
    child.process.stdin?.end("go\n");
    expect(await child.ended).toBe(0);
    expect(await readdir(directory)).not.toContain(LOCK);
  });

  const deadHolders: [string, Partial<ProcessIdentity>][] = [["a dead process", { pid: NOBODY }]];
  if (ownIdentity().startTime !== "0") {
    deadHolders.push(["an earlier process with the pid of a running one", { startTime: "1" }]);
    deadHolders.push(["an earlier boot", { boot: "0123abcd" }]);
  }
  test.each(deadHolders)("of %s is taken over", async (_, holder) => {
    const directory = await scratch();
    const name = await plantLock(directory, holder);
    const { store } = await open(directory);
    const held = await readdir(join(directory, LOCK));
    expect(held).toHaveLength(1);
    expect(held).not.toContain(name);
    await store.close();
  });

  test("left empty by a contender killed in the middle is taken", async () => {
    const directory = await scratch();
    await mkdir(join(directory, LOCK));
    await (await open(directory)).store.close();
  });

  test("that is none of ours is left alone", async () => {
    const directory = await scratch();
    await mkdir(join(directory, LOCK));
    await writeFile(join(directory, LOCK, "unknown"), "");
    expect((await storeErrorOf(() => open(directory))).message).toContain("remove it by hand");
    await rm(join(directory, LOCK), { recursive: true });
    await writeFile(join(directory, LOCK), "12345");
    const error = await storeErrorOf(() => open(directory));
    expect(error).toMatchObject({ code: "LOCKED", holderPid: undefined });
    expect(await readdir(directory)).toEqual([LOCK]);
  });

  test("prepared by a contender that was killed is removed, one of a living contender is not", async () => {
    const directory = await scratch();
    const dead = formatIdentity({ ...ownIdentity(), pid: NOBODY });
    const alive = formatIdentity(ownIdentity());
    for (const name of [dead, alive]) {
      await mkdir(join(directory, `${LOCK}.${name}.tmp`));
      await writeFile(join(directory, `${LOCK}.${name}.tmp`, name), "");
    }
    await (await open(directory)).store.close();
    const left = (await readdir(directory)).filter((name) => name.startsWith(LOCK));
    expect(left).toEqual([`${LOCK}.${alive}.tmp`]);
  });

  test("removed by hand stops the writing, so that two masters never take turns", async () => {
    const directory = await scratch();
    const first = await open(directory);
    await rm(join(directory, LOCK), { recursive: true });
    const second = await open(directory);
    await second.store.save(() => sampleState(2));
    expect((await storeErrorOf(() => first.store.save(() => sampleState(3)))).code).toBe(
      "LOCK_LOST",
    );
    expect((await storeErrorOf(() => first.store.backup())).code).toBe("LOCK_LOST");
    expect((await storeErrorOf(() => first.store.close())).code).toBe("LOCK_LOST");
    await second.store.close();
    const third = await open(directory);
    expect(third.state).toEqual(sampleState(2));
    await third.store.close();
  });
});

describe("contenders for the lock of a dead process", () => {
  test("in one process: exactly one wins, each of 60 times", async () => {
    for (let round = 0; round < 60; round++) {
      const directory = await scratch();
      await plantLock(directory, { pid: NOBODY });
      if (round % 2 === 0) await plantLock(directory, { pid: NOBODY + 1 });
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => open(directory)));
      const winners: StateStore[] = [];
      for (const result of results) {
        if (result.status === "fulfilled") winners.push(result.value.store);
        else expect(result.reason).toMatchObject({ code: "LOCKED", holderPid: process.pid });
      }
      expect(winners).toHaveLength(1);
      await winners[0]?.close();
      expect((await readdir(directory)).filter((name) => name.startsWith(LOCK))).toEqual([]);
    }
  });

  test("in several processes: exactly one wins, and the others name it", async () => {
    for (let round = 0; round < 4; round++) {
      const directory = await scratch();
      await plantLock(directory, { pid: NOBODY });
      const children = Array.from({ length: 4 }, () => startChild("holder.ts", [directory]));
      await Promise.all(children.map((child) => child.line("ready")));
      for (const child of children) child.process.stdin?.write("go\n");
      await Promise.all(
        children.map((child) =>
          Promise.race([child.line("held"), child.line("failed")].map(quiet)),
        ),
      );
      const winners = children.filter(({ lines }) => lines.some((line) => line.startsWith("held")));
      expect(winners).toHaveLength(1);
      const pid = winners[0]?.process.pid;
      for (const child of children.filter((each) => !winners.includes(each))) {
        expect(child.lines).toContain(`failed LOCKED ${pid}`);
      }
      for (const child of children) child.process.stdin?.end();
      const codes = await Promise.all(children.map(({ ended }) => ended));
      expect(codes.sort()).toEqual([0, 3, 3, 3]);
    }
  });
});

/** One of `held` and `failed` never comes; that must not be an unhandled rejection. */
async function quiet(line: Promise<string>): Promise<string | Error> {
  return line.catch((error: unknown) => new StoreError("CLOSED", String(error)));
}
