import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, SILENT_LOGGER } from "@nodepass/model";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { exportHourly } from "./hourly-export.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "nodepass-export-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("writes at once and every hour, for its owner only, and keeps the last 48", async () => {
  const time = new SimulatedTime();
  const folder = join(directory, "exports");
  const clock = new SimulatedClock(time);
  const timers = vi.spyOn(clock, "after");
  let count = 0;
  const stop = exportHourly({
    directory: folder,
    read: () => {
      count += 1;
      return `export ${count}`;
    },
    clock,
    logger: SILENT_LOGGER,
  });
  for (let hour = 1; hour <= 52; hour += 1) {
    await vi.waitFor(() => expect(timers).toHaveBeenCalledTimes(hour), { interval: 1 });
    const files = (await readdir(folder)).sort();
    expect(files).toHaveLength(Math.min(hour, 48));
    expect(await readFile(join(folder, files.at(-1) ?? ""), "utf8")).toBe(`export ${hour}`);
    await time.run(hour * 3_600_000);
  }
  // The one that the last hour began is written, too, before the folder goes.
  await vi.waitFor(() => expect(timers).toHaveBeenCalledTimes(53), { interval: 1 });
  const [file = ""] = await readdir(folder);
  expect(file).toMatch(/^fleet-\d{8}T\d{6}Z\.json$/);
  expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  stop();
});

test("says so when it can't be written, and tries again in an hour", async () => {
  const time = new SimulatedTime();
  const errors: string[] = [];
  const logger: Logger = { ...SILENT_LOGGER, error: (_, message) => errors.push(message) };
  let isFull = true;
  const read = () => {
    if (isFull) throw new Error("disk full");
    return "export";
  };
  const clock = new SimulatedClock(time);
  const timers = vi.spyOn(clock, "after");
  const stop = exportHourly({ directory, read, clock, logger });
  await vi.waitFor(() => expect(errors).toEqual(["the export can't be written"]));
  await vi.waitFor(() => expect(timers).toHaveBeenCalledTimes(1));
  isFull = false;
  await time.run(3_600_000);
  await vi.waitFor(async () => expect(await readdir(directory)).toHaveLength(1));
  stop();
});

const exported = (revision: number, when: number) =>
  `{\n "hub": "h${when}",\n "time": "${when}",\n "revision": ${revision},\n "signature": "${when}"\n}\n`;

test("a lost store and a hub that is restarted again and again push nothing out", async () => {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  let reads = 0;
  const start = async (read: () => string | undefined) => {
    const before = reads;
    const timers = vi.spyOn(clock, "after");
    const stop = exportHourly({
      directory,
      read: () => {
        reads += 1;
        return read();
      },
      clock,
      logger: SILENT_LOGGER,
    });
    await vi.waitFor(() => expect(timers).toHaveBeenCalledTimes(1));
    timers.mockRestore();
    stop();
    return reads - before;
  };
  await start(() => exported(7, 1));
  const good = await readdir(directory);
  expect(good).toHaveLength(1);
  // Within the hour nothing is even read, whatever changed.
  expect(await start(() => exported(8, 2))).toBe(0);
  await time.run(3_600_000);
  // The same, by another hub at another time; then nothing at all.
  expect(await start(() => exported(7, 3))).toBe(1);
  expect(await start(() => undefined)).toBe(1);
  expect(await readdir(directory)).toEqual(good);
  expect(await start(() => exported(8, 4))).toBe(1);
  expect(await readdir(directory)).toHaveLength(2);
});

test("an empty store is not written", async () => {
  const time = new SimulatedTime();
  let reads = 0;
  const read = () => {
    reads += 1;
    return undefined;
  };
  const stop = exportHourly({
    directory,
    read,
    clock: new SimulatedClock(time),
    logger: SILENT_LOGGER,
  });
  await vi.waitFor(() => expect(reads).toBe(1));
  stop();
  expect(await readdir(directory)).toEqual([]);
});
