import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { Leadership } from "../leader/leadership.ts";

const INTERVAL_MS = 86_400_000;
const FIRST_MS = 600_000;
/** Markers are kept so long: a hub that was away for less still learns of each removal. */
const KEPT_MS = 30 * 86_400_000;

/**
 * Once a day the leader takes old removal markers out of the store, and seals anew what has the seal of a
 * former data key.
 *
 * @returns ends it
 */
export function sweepDaily(options: {
  readonly sweep: (before: number) => Promise<number>;
  readonly reseal: () => Promise<number>;
  readonly leadership: Pick<Leadership, "isLeading">;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { sweep, reseal, leadership, clock, logger } = options;
  let cancel = (): void => undefined;
  let isClosed = false;
  const run = async () => {
    try {
      if (leadership.isLeading()) {
        const swept = await sweep(clock.now() - KEPT_MS);
        if (swept > 0) logger.info({ swept }, "old removal markers were taken out of the store");
        const resealed = await reseal();
        if (resealed > 0) logger.info({ resealed }, "records have the seal of the new data key");
      }
    } catch (error) {
      logger.warn({ error: String(error) }, "the store can't be swept; tried again tomorrow");
    }
    if (!isClosed) cancel = clock.after(INTERVAL_MS, () => void run());
  };
  cancel = clock.after(FIRST_MS, () => void run());
  return () => {
    isClosed = true;
    cancel();
  };
}
