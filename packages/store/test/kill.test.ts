import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { openStore } from "../src/open-store.ts";
import { type Child, startChild } from "./support/child.ts";
import { sampleState, sequenceOf } from "./support/sample-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";

const KILLS = 130;
const AT_ONCE = 2;
/** Directories that each killed process writes to. */
const DIRECTORIES = 3;
const scratch = useScratchDirectories();

beforeAll(async () => {
  // Ends by itself, so that the others find its compiled code.
  expect(await startChild("dying-writer.ts", [await scratch(), "0"]).ended).toBe(0);
});

/** Largest number of the lines `<prefix> <n>`. */
function lastOf(prefix: string, lines: readonly string[]): number {
  const found = lines.filter((line) => line.startsWith(`${prefix} `));
  return Math.max(0, ...found.map((line) => Number(line.slice(prefix.length + 1))));
}

/** Kills a writer at a moment that depends on the round. */
async function killWriter(directories: readonly string[], round: number): Promise<Child> {
  const child = startChild("writer.ts", directories);
  for (const number of directories.keys()) await child.line(`${number} loaded`);
  // After none to three saves, and then somewhere in one: it takes from a millisecond to tens.
  const loaded = Number(child.lines.find((line) => line.startsWith("0 loaded"))?.split(" ")[2]);
  if (round % 4 > 0) await child.line(`0 saved ${loaded + (round % 4)}`);
  await delay(round % 7);
  child.process.kill("SIGKILL");
  expect(await child.ended).toBe("SIGKILL");
  return child;
}

test(`kill -9 at ${KILLS * DIRECTORIES} random moments: every acknowledged save is there, no file is damaged`, async () => {
  let acknowledged = 0;
  const run = async (kills: number) => {
    const directories = await Promise.all(Array.from({ length: DIRECTORIES }, scratch));
    const expected = directories.map(() => 0);
    for (let round = 0; round < kills; round++) {
      const { lines } = await killWriter(directories, round);
      for (const [number, least] of expected.entries()) {
        const start = lines.find((line) => line.startsWith(`${number} loaded`));
        const [, , loaded, how] = start?.split(" ") ?? [];
        expect(Number(loaded)).toBeGreaterThanOrEqual(least);
        expect(how).toBe("whole");
        expected[number] = Math.max(Number(loaded), lastOf(`${number} saved`, lines));
      }
      acknowledged += lines.length - DIRECTORIES;
    }
    for (const [number, directory] of directories.entries()) {
      const { store, state, recovered } = await openStore({
        directory,
        createInitial: () => sampleState(0),
      });
      await store.close();
      expect(sequenceOf(state)).toBeGreaterThanOrEqual(expected[number] ?? Number.NaN);
      expect(recovered).toBeUndefined();
      const names = await readdir(directory);
      expect(names.sort()).toEqual(["nodepass.msgpack", "nodepass.msgpack.backup"]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => run(KILLS / AT_ONCE)));
  expect(acknowledged).toBeGreaterThan(KILLS);
}, 180_000);

/** Starts writers, each killed one call later than the one before, until one lives to its end. */
async function killAtEveryCall(nextDirectory: (call: number) => Promise<string>): Promise<number> {
  const expected = new Map<string, number>();
  for (let call = 1; ; call++) {
    const directory = await nextDirectory(call);
    const child = startChild("dying-writer.ts", [directory, String(call)]);
    const outcome = await child.ended;
    const where = child.lines.join(", ");
    const { store, state, recovered } = await openStore({
      directory,
      createInitial: () => sampleState(0),
    });
    await store.close();
    const before = expected.get(directory) ?? 0;
    const loaded = sequenceOf(state);
    expect(recovered, where).toBeUndefined();
    expect(loaded, where).toBeGreaterThanOrEqual(Math.max(before, lastOf("saved", child.lines)));
    expect(loaded, where).toBeLessThanOrEqual(before + 1);
    const litter = (await readdir(directory)).filter((name) => /tmp|lock|damaged/.test(name));
    expect(litter, where).toEqual([]);
    expected.set(directory, loaded);
    if (outcome === "SIGKILL") continue;
    expect(outcome).toBe(0);
    return call;
  }
}

test("kill -9 before every single file system call of a start, a save, a backup and a close", async () => {
  const inherited = await scratch();
  const calls = await Promise.all([
    killAtEveryCall(scratch),
    killAtEveryCall(() => Promise.resolve(inherited)),
  ]);
  expect(Math.min(...calls)).toBeGreaterThan(20);
}, 120_000);
