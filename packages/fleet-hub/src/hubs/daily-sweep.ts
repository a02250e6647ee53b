import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { Leadership } from "../leader/leadership.ts";

const INTERVAL_MS = 86_400_000;
/** After the start, and where nothing may be changed, ms. */
const SOON_MS = 600_000;
/** Markers are kept so long: a hub that was away for less still learns of each removal. */
const KEPT_MS = 30 * 86_400_000;

/**
 * Once a day the leader takes old removal markers out of the store, and seals anew what has the seal of a
 * former data key. Nothing is done while there is something against the engine: it could lose what it acknowledges.
 *
 * @returns ends it
 */
export function sweepDaily(options: {
  readonly sweep: (before: number) => Promise<number>;
  readonly reseal: () => Promise<number>;
  /** What is against the engine; `undefined`: nothing. */
  readonly problem: () => string | undefined;
  readonly leadership: Pick<Leadership, "isLeading">;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { sweep, reseal, problem, leadership, clock, logger } = options;
  let cancel = (): void => undefined;
  let isClosed = false;
  /** @returns whether it is not to be changed now */
  const isHeld = () => {
    const why = problem();
    if (why !== undefined) logger.warn({ why }, "the store is not swept now; tried again soon");
    return why !== undefined;
  };
  /** @returns when to look again, ms */
  const run = async () => {
    if (!leadership.isLeading()) return INTERVAL_MS;
    try {
      if (isHeld()) return SOON_MS;
      const swept = await sweep(clock.now() - KEPT_MS);
      if (swept > 0) logger.info({ swept }, "old removal markers were taken out of the store");
      if (isHeld()) return SOON_MS;
      const resealed = await reseal();
      if (resealed > 0) logger.info({ resealed }, "records have the seal of the new data key");
    } catch (error) {
      logger.warn({ error: String(error) }, "the store can't be swept; tried again tomorrow");
    }
    return INTERVAL_MS;
  };
  const tick = async () => {
    const waitMs = await run();
    if (!isClosed) cancel = clock.after(waitMs, () => void tick());
  };
  cancel = clock.after(SOON_MS, () => void tick());
  return () => {
    isClosed = true;
    cancel();
  };
}
