import type { FleetStore } from "../store/fleet-store.ts";
import type { LiveNews } from "./fleet-news.ts";

/**
 * Raises `store-older` when members show that a hub has told them more than this store knows.
 *
 * @returns told what a member has shown: a revision of a bucket
 */
export function watchForOlderStore(
  store: Pick<FleetStore, "services" | "identity">,
  news: Pick<LiveNews, "alarm">,
): (mid: string, bucket: string, revision: number) => void {
  /** @returns what the member knows and the store does not; `undefined`: only the index was behind */
  const unknown = async (bucket: string, known: number): Promise<string | undefined> => {
    if (bucket !== store.identity.nonce) return "another store";
    try {
      const revision = await store.services.revision();
      if (known <= revision) return undefined;
      return `revision ${known}, the store only ${revision}`;
    } catch {
      // It can't be asked now; the member's next sync asks again.
      return undefined;
    }
  };
  return (mid, bucket, revision) => {
    void unknown(bucket, revision).then((reason) => {
      if (reason !== undefined) news.alarm("store-older", true, `master ${mid} knows ${reason}`);
    });
  };
}
