import type { KV } from "@nats-io/kv";
import { isSealedBy, openAtRest, sealAtRest } from "@nodepass/fleet-protocol";

/**
 * Seals with the fleet's data key what was sealed with a former one. A record that somebody changes at
 * that moment is left: whoever wrote it had the new key.
 *
 * @param name of the bucket
 * @param dataKeys the first seals, all open
 * @param without keys of records that are left as they are
 * @returns how many
 */
export async function resealRecords(
  kv: KV,
  name: string,
  dataKeys: readonly Uint8Array[],
  without: readonly string[] = [],
): Promise<number> {
  const [dataKey, ...former] = dataKeys;
  if (dataKey === undefined || former.length === 0) return 0;
  const old: string[] = [];
  for await (const { key, operation, value } of await kv.history({ key: ">" })) {
    if (operation !== "PUT" || without.includes(key)) continue;
    if (former.some((one) => isSealedBy(one, value))) old.push(key);
  }
  let resealed = 0;
  for (const key of old) {
    const entry = await kv.get(key);
    if (entry === null || entry.operation !== "PUT" || isSealedBy(dataKey, entry.value)) continue;
    const place = `${name}/${key}`;
    let sealed: Uint8Array;
    try {
      sealed = sealAtRest(dataKey, place, openAtRest(dataKeys, place, entry.value));
    } catch {
      // It was damaged, and is named by whoever reads it.
      continue;
    }
    try {
      await kv.update(key, sealed, entry.revision);
      resealed += 1;
    } catch (error) {
      // Changed meanwhile, or the engine is away: the next time looks again.
      if ((await kv.get(key))?.revision === entry.revision) throw error;
    }
  }
  return resealed;
}
