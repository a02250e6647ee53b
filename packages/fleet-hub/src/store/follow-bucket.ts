import { setTimeout as delay } from "node:timers/promises";
import type { KV, KvWatchEntry } from "@nats-io/kv";
import type { QueuedIterator } from "@nats-io/nats-core";
import type { Logger } from "@nodepass/model";
import type { EngineLink } from "../engine/engine-link.ts";
import type { BucketWatcher } from "./fleet-store.ts";
import type { RecordCodec } from "./sealed-record.ts";

/** How often the watch is compared with the bucket itself, ms: no gap lasts longer than two of these. */
const CHECK_INTERVAL_MS = 5000;
const RETRY_MS = { least: 100, most: 5000 } as const;

/** What is followed, and who is told. */
export interface FollowOptions<Value> {
  readonly name: string;
  readonly kv: KV;
  readonly link: EngineLink;
  readonly codec: RecordCodec<Value>;
  readonly watcher: BucketWatcher<Value>;
  readonly logger: Logger;
  /**
   * Another bucket is in its place; before anything of that is told. @param created when it was made;
   * rejects: it is tried again
   */
  readonly onReplaced?: ((created: string) => Promise<void>) | undefined;
}

/**
 * Follows a bucket for ever: after a reconnect, after an error, and whenever the bucket turns out to be
 * ahead of what was told, it goes on behind the last revision that it has told. A bucket that was made
 * anew or is older than it was is told from the beginning.
 *
 * @returns ends it
 */
export function followBucket<Value>(options: FollowOptions<Value>): () => void {
  const { name, kv, link, codec, watcher, logger, onReplaced } = options;
  const ended = new AbortController();
  let created = "";
  let seen = 0;
  let isLoaded = false;
  let failures = 0;
  let running: QueuedIterator<KvWatchEntry> | undefined;

  const tell = (entry: KvWatchEntry) => {
    if (entry.operation !== "PUT") {
      watcher.onRecord(entry.key, undefined, entry.revision);
      return;
    }
    let value: Value;
    try {
      value = codec.decode(entry.key, entry.value);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "can't be read";
      logger.error({ bucket: name, key: entry.key, reason }, "a record is bad and was skipped");
      watcher.onBad(entry.key, reason, entry.revision);
      return;
    }
    watcher.onRecord(entry.key, { value, revision: entry.revision }, entry.revision);
  };

  const pass = async () => {
    const { streamInfo } = await kv.status();
    const { last_seq: last, messages } = streamInfo.state;
    const isReplaced = created !== "" && streamInfo.created !== created;
    if (isReplaced) await onReplaced?.(streamInfo.created);
    if (streamInfo.created !== created || last < seen) {
      isLoaded = false;
      seen = 0;
      created = streamInfo.created;
    }
    if (!isLoaded) watcher.onRestart();
    const watching = await kv.watch(isLoaded ? { resumeFromRevision: seen + 1 } : {});
    running = watching;
    if (ended.signal.aborted) watching.stop();
    failures = 0;
    const loaded = () => {
      isLoaded = true;
      seen = Math.max(seen, last);
      watcher.onLoaded(seen);
    };
    if (!isLoaded && messages === 0) loaded();
    for await (const entry of watching) {
      tell(entry);
      seen = Math.max(seen, entry.revision);
      if (!isLoaded && entry.delta === 0) loaded();
    }
  };

  const run = async () => {
    while (!ended.signal.aborted) {
      try {
        if (link.isConnected()) await pass();
      } catch (error) {
        logger.debug({ bucket: name, error: String(error) }, "the watch broke off");
      }
      running = undefined;
      const most = Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** failures);
      failures = Math.min(failures + 1, 8);
      const wait = RETRY_MS.least / 2 + Math.random() * (most - RETRY_MS.least / 2);
      await delay(wait, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
  };

  const check = async () => {
    /** What was there at the check before: it has had its time to be told. */
    let expected = 0;
    while (!ended.signal.aborted) {
      await delay(CHECK_INTERVAL_MS, undefined, { signal: ended.signal, ref: false }).catch(
        () => undefined,
      );
      if (running === undefined || !link.isConnected() || ended.signal.aborted) continue;
      try {
        const { streamInfo } = await kv.status();
        const { last_seq: last } = streamInfo.state;
        const isBehind = expected > seen;
        expected = last;
        if (isBehind || last < seen || streamInfo.created !== created) running.stop();
      } catch {
        // It can't be asked now: the next check asks again.
      }
    }
  };

  // The library's own watch notices only after a minute that its consumer has gone with the server.
  const unlisten = link.onChange((connected) => {
    if (connected) running?.stop();
  });
  void run();
  void check();
  return () => {
    unlisten();
    ended.abort();
    running?.stop();
  };
}
