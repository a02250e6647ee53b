import { MEMBER_JWT_MS } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { EngineControl } from "../engine/engine-control.ts";
import type { EngineLink } from "../engine/engine-link.ts";
import type { Leadership } from "../leader/leadership.ts";
import type { FleetIndex } from "../store/fleet-index.ts";

/** After a removal the hub that did it has so long to revoke the key itself, ms. */
const LEAVE_MS = 5000;
const RETRY_MS = 30_000;

/**
 * The leader sees to it that the engine takes no removed master's key, and nothing that a retired key
 * has signed: two hubs may push the account at once, of which one is lost, the engine was away, or it is
 * back from a power cut: it does not sync the accounts' JWTs to its disk.
 *
 * @returns ends it
 */
export function keepRevoked(options: {
  readonly index: Pick<FleetIndex, "members" | "onMember">;
  readonly leadership: Leadership;
  readonly control: Pick<EngineControl, "revoke" | "notRevoked" | "retire">;
  /** Over which `control` asks. */
  readonly link: Pick<EngineLink, "onChange">;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { index, leadership, control, link, clock, logger } = options;
  let cancel = (): void => undefined;
  let isClosed = false;

  const keys = () => {
    const oldest = clock.now() - MEMBER_JWT_MS;
    return [...index.members.values()]
      .filter(({ value }) => value.evicted && (value.evictedAt ?? 0) >= oldest)
      .map(({ value }) => value.nkey);
  };
  const check = async () => {
    if (!leadership.isLeading() || isClosed) return;
    try {
      if (await control.retire()) logger.info({}, "a former signing key signs no more");
      const open = await control.notRevoked(keys());
      if (open.length > 0) await control.revoke(open);
    } catch (error) {
      logger.warn({ error: String(error) }, "removed masters' keys can't be checked; tried again");
      later(RETRY_MS);
    }
  };
  const later = (delayMs: number) => {
    cancel();
    if (!isClosed) cancel = clock.after(delayMs, () => void check());
  };
  const stops = [
    index.onMember((_, now) => {
      if (now?.value.evicted === true) later(LEAVE_MS);
    }),
    leadership.onChange((leading) => {
      if (leading) later(LEAVE_MS);
    }),
    link.onChange((connected) => {
      if (connected) later(0);
    }),
  ];
  return () => {
    isClosed = true;
    cancel();
    for (const stop of stops) stop();
  };
}
