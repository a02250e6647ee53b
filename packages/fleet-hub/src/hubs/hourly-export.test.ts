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
  let count = 0;
  const stop = exportHourly({
    directory: folder,
    read: () => {
      count += 1;
      return `export ${count}`;
    },
    clock: new SimulatedClock(time),
    logger: SILENT_LOGGER,
  });
  for (let hour = 1; hour <= 52; hour += 1) {
    await vi.waitFor(() => expect(count).toBe(hour));
    await vi.waitFor(async () => {
      const files = await readdir(folder);
      expect(files).toHaveLength(Math.min(hour, 48));
      const last = files.sort().at(-1) ?? "";
      expect(await readFile(join(folder, last), "utf8")).toBe(`export ${hour}`);
    });
    await time.run(hour * 3_600_000);
  }
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
  const stop = exportHourly({ directory, read, clock: new SimulatedClock(time), logger });
  await vi.waitFor(() => expect(errors).toEqual(["the export can't be written"]));
  isFull = false;
  await time.run(3_600_000);
  await vi.waitFor(async () => expect(await readdir(directory)).toHaveLength(1));
  stop();
});
