import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";

/** Markers that one sweep takes out at most, so that it never holds the engine up. */
const MAX_SWEPT = 10_000;

/**
 * Takes out what is left of records that were removed long ago: a marker each, which would stay for ever.
 * A record that was made again under the same key meanwhile is not touched: a purge reaches only up to
 * the marker's own revision.
 *
 * @param before markers older than this, ms since 1970 by the engine's clock
 * @returns how many
 */
export async function sweepMarkers(
  manager: JetStreamManager,
  kv: KV,
  name: string,
  before: number,
): Promise<number> {
  const stream = `KV_${name}`;
  const old: { readonly key: string; readonly revision: number }[] = [];
  for await (const { key, revision, operation, created } of await kv.history({ key: ">" })) {
    if (operation === "PUT" || created.getTime() >= before) continue;
    old.push({ key, revision });
    if (old.length >= MAX_SWEPT) break;
  }
  for (const { key, revision } of old) {
    await manager.streams.purge(stream, { filter: `$KV.${name}.${key}`, seq: revision + 1 });
  }
  return old.length;
}
