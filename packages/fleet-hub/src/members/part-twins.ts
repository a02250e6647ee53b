import { type Logger, ServiceError } from "@nodepass/model";
import { type Auditor, HUB_ITSELF } from "../access/auditor.ts";
import { stored } from "../access/tokens.ts";
import type { Leadership } from "../leader/leadership.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { FleetStore } from "../store/fleet-store.ts";

/**
 * Masters that joined at one moment through two hubs may have one name: each hub chose it as far as it
 * knew. The hub that leads gives the later one another, in the same way. (A name that a person gives is
 * one master's from the beginning, see `claimName`.)
 *
 * @returns ends it
 */
export function partTwins(options: {
  readonly index: Pick<FleetIndex, "members" | "findMembers" | "onMember">;
  readonly store: Pick<FleetStore, "members">;
  readonly leadership: Leadership;
  readonly audit: Auditor;
  readonly logger: Logger;
}): () => void {
  const { index, store, leadership, audit, logger } = options;
  /** Masters that are being renamed. */
  const busy = new Set<string>();

  const part = async (mid: string) => {
    const found = index.members.get(mid);
    if (found === undefined || found.value.evicted || busy.has(mid)) return;
    if (!leadership.isLeading()) return;
    const { name, joined } = found.value;
    const isLater = index
      .findMembers(name)
      .some(
        ({ mid: other, record }) =>
          other !== mid && (record.joined < joined || (record.joined === joined && other < mid)),
      );
    if (!isLater) return;
    busy.add(mid);
    const short = `${name}-${mid.slice(0, 4)}`;
    const value = { ...found.value, name: index.findMembers(short).length === 0 ? short : mid };
    const detail = `name=${value.name}: a master that joined before it has the name ${name}`;
    try {
      await audit.changing(
        HUB_ITSELF,
        { action: "master.change", object: mid, before: found.revision, detail },
        () => stored(store.members.update(mid, value, found.revision)),
        (revision) => revision,
      );
      logger.info({ mid, name, now: value.name }, "a master has another one's name: it is renamed");
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      logger.debug({ mid, error: error.message }, "a master's name is looked at again");
    } finally {
      busy.delete(mid);
    }
  };
  const look = (mid: string) => {
    part(mid).catch((error: unknown) => {
      logger.error({ mid, error: String(error) }, "a master can't be renamed");
    });
  };

  const stops = [
    index.onMember((_, now, before) => {
      if (now === undefined || before !== undefined) return;
      // The one of the two that came first may be the one that is told last.
      for (const { mid: twin } of index.findMembers(now.value.name)) look(twin);
    }),
    leadership.onChange((leading) => {
      if (!leading) return;
      const seen = new Set<string>();
      for (const { value } of index.members.values()) {
        if (value.evicted) continue;
        if (seen.has(value.name)) for (const { mid } of index.findMembers(value.name)) look(mid);
        seen.add(value.name);
      }
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
