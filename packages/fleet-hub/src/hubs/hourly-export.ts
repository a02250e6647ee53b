import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";

const INTERVAL_MS = 3_600_000;
/** Files that are kept. */
const KEPT = 48;
const NAME = /^fleet-\d{8}T\d{6}Z\.json$/;

/**
 * Writes the signed export every hour into a folder, 0600, and keeps the last 48. The first is written
 * at once.
 *
 * @returns ends it
 */
export function exportHourly(options: {
  readonly directory: string;
  readonly read: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { directory, read, clock, logger } = options;
  let cancel = (): void => undefined;
  const write = async () => {
    cancel = clock.after(INTERVAL_MS, () => void write());
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
      const file = join(directory, `fleet-${stamp}.json`);
      await writeFile(`${file}.new`, read(), { mode: 0o600, flush: true });
      await rename(`${file}.new`, file);
      const old = (await readdir(directory)).filter((name) => NAME.test(name)).sort();
      for (const name of old.slice(0, -KEPT)) await rm(join(directory, name), { force: true });
    } catch (error) {
      logger.error({ directory, error: String(error) }, "the export can't be written");
    }
  };
  void write();
  return () => cancel();
}
