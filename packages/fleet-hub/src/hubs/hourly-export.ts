import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";

const INTERVAL_MS = 3_600_000;
/** Files that are kept. */
const KEPT = 48;
const NAME = /^fleet-\d{8}T\d{6}Z\.json$/;

/**
 * Writes the signed export into a folder, 0600, and keeps the last 48. One that says nothing new is not
 * written, nor is any while the newest is less than an hour old: neither a hub that is restarted again and
 * again nor a store that was lost pushes good ones out.
 *
 * @param options its `read` gives `undefined` for a store that has nothing
 * @returns ends it
 */
export function exportHourly(options: {
  readonly directory: string;
  readonly read: () => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { directory, read, clock, logger } = options;
  let cancel = (): void => undefined;
  let isClosed = false;
  const listed = async () => (await readdir(directory)).filter((name) => NAME.test(name)).sort();

  /** @returns in how many ms the next is due */
  const write = async (): Promise<number> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const newest = (await listed()).at(-1);
    const age = newest === undefined ? INTERVAL_MS : clock.now() - timeOf(newest);
    // One of the future was written before the clock was put back.
    if (age >= 0 && age < INTERVAL_MS) return INTERVAL_MS - age;
    const text = read();
    if (text === undefined) return INTERVAL_MS;
    if (newest !== undefined) {
      const last = await readFile(join(directory, newest), "utf8");
      if (contentOf(last) === contentOf(text)) return INTERVAL_MS;
    }
    const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
    const file = join(directory, `fleet-${stamp}.json`);
    await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
    for (const name of (await listed()).slice(0, -KEPT)) {
      await rm(join(directory, name), { force: true });
    }
    return INTERVAL_MS;
  };
  const run = async () => {
    let wait = INTERVAL_MS;
    try {
      wait = await write();
    } catch (error) {
      logger.error({ directory, error: String(error) }, "the export can't be written");
    }
    if (!isClosed) cancel = clock.after(wait, () => void run());
  };
  void run();
  return () => {
    isClosed = true;
    cancel();
  };
}

/** When an export was written, by its name, ms. */
function timeOf(name: string): number {
  return Date.parse(name.replace(/^fleet-(....)(..)(..T..)(..)(..Z)\.json$/, "$1-$2-$3:$4:$5"));
}

/** An export without who wrote it and when. */
function contentOf(text: string): string {
  return text.replace(/^ "(?:hub|time|signature)": .*$/gm, "");
}
