import type { MemberRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { HUB_ITSELF } from "../access/auditor.ts";
import { type Stored, StoreError } from "../store/fleet-store.ts";
import { redial } from "./hand-over.ts";
import { lookEvery } from "./look-every.ts";
import type { ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";

const LOOK_MS = 5000;
/**
 * A record may be written with an address that its hub looked up so long ago, ms: up to eight masters are
 * asked for 3 s each before that, the store answers within 5 s, and what hubs know may be behind by as much.
 */
export const DIALLED_WITHIN_MS = 60_000;

/** Brings a master's new address to the clients of the servers that it has; only while this hub leads. */
export interface AddressFollower {
  start(): void;
  close(): void;
}

/**
 * A member's record has the addresses that it had for as long as some client may dial one of them. So
 * whichever hub leads next goes on with what another has begun.
 */
export function createAddressFollower(
  { index, store, leadership, clock, logger }: ServiceParts,
  writer: ServiceWriter,
): AddressFollower {
  /** Members whose clients are being changed. */
  const busy = new Set<string>();
  /** Since when this hub, leading, has known a master's address. Monotonic, ms. */
  const known = new Map<string, { readonly address: string; readonly since: number }>();

  const isNew = (mid: string, address: string) => {
    const found = known.get(mid);
    if (found?.address === address) return clock.monotonic() - found.since < DIALLED_WITHIN_MS;
    known.set(mid, { address, since: clock.monotonic() });
    return true;
  };

  const follow = async (mid: string, { value, revision }: Stored<MemberRecord>) => {
    const { address, formerAddresses = [], evicted } = value;
    if (formerAddresses.length === 0 || address === "" || evicted || busy.has(mid)) return;
    busy.add(mid);
    const mayDialFormer = isNew(mid, address);
    try {
      for (const { sid, part } of index.ownedBy(mid)) {
        if (!leadership.isLeading()) return;
        await writer
          .change(sid, undefined, ({ value: record }) => {
            const { owner, from } = record.parts[part] ?? {};
            if ((owner ?? from) !== mid) return record;
            const changed = redial(record, part, formerAddresses, address);
            if (changed === record) return record;
            return { ...changed, by: HUB_ITSELF.token, at: clock.now() };
          })
          .catch((error: unknown) => {
            // It was removed meanwhile.
            if (!(error instanceof ServiceError) || error.code !== "NOT_FOUND") throw error;
          });
      }
      // A client that is just being made, or goes along with its server, may still get one of them.
      if (mayDialFormer) return;
      const { formerAddresses: _, ...now } = value;
      await store.members.update(mid, now, revision);
      known.delete(mid);
    } catch (error) {
      const isKnown = error instanceof ServiceError || error instanceof StoreError;
      if (!isKnown) throw error;
      // Looked at again soon.
      logger.debug({ mid, error: error.message }, "clients don't follow an address yet");
    } finally {
      busy.delete(mid);
    }
  };

  const look = async () => {
    if (!leadership.isLeading()) {
      known.clear();
      return;
    }
    for (const [mid, stored] of index.members) await follow(mid, stored);
  };
  const looks = lookEvery({ what: "addresses", everyMs: LOOK_MS, look, clock, logger });
  let unlisten = (): void => undefined;

  return {
    start: () => {
      unlisten = index.onMember((mid, now) => {
        if (now === undefined || !leadership.isLeading()) return;
        follow(mid, now).catch((error: unknown) => {
          logger.error({ mid, error: String(error) }, "a master's address is not followed");
        });
      });
      looks.start();
    },
    close: () => {
      unlisten();
      looks.stop();
      known.clear();
    },
  };
}
