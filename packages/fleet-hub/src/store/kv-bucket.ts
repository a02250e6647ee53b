import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { headers } from "@nats-io/nats-core";
import type { Logger } from "@nodepass/model";
import type { EngineLink } from "../engine/engine-link.ts";
import { type Bucket, StoreError } from "./fleet-store.ts";
import { followBucket } from "./follow-bucket.ts";
import type { RecordCodec } from "./sealed-record.ts";
import { storeFailure } from "./store-failure.ts";

/** Longest wait for a read or write, ms. */
export const STORE_TIMEOUT_MS = 5000;

/** What a bucket is made of. */
export interface KvBucketOptions<Value> {
  readonly name: string;
  readonly kv: KV;
  readonly link: EngineLink;
  readonly codec: RecordCodec<Value>;
  readonly logger: Logger;
  /** See `FollowOptions`. */
  readonly onReplaced?: ((created: string) => Promise<void>) | undefined;
}

/** Records of one kind in a bucket of JetStream's. */
export function kvBucket<Value>(options: KvBucketOptions<Value>): Bucket<Value> {
  const { name, kv, link, codec, logger, onReplaced } = options;
  const stream: JetStreamClient = jetstream(link.connection, { timeout: STORE_TIMEOUT_MS });

  /** Never while the connection is gone: the client would keep it and send it when it is back. */
  const attempt = async <Result>(what: string, call: () => Promise<Result>): Promise<Result> => {
    if (!link.isConnected()) {
      throw new StoreError("UNAVAILABLE", `the engine can't be reached for ${what}`);
    }
    try {
      return await call();
    } catch (error) {
      throw storeFailure(error, what);
    }
  };

  return {
    get: (key) =>
      attempt(`${name}/${key}`, async () => {
        const entry = await kv.get(key);
        if (entry === null || entry.operation !== "PUT") return undefined;
        return { value: codec.decode(key, entry.value), revision: entry.revision };
      }),
    create: (key, value) =>
      attempt(`${name}/${key}`, () => kv.create(key, codec.encode(key, value))),
    update: (key, value, revision) =>
      attempt(`${name}/${key}`, () =>
        kv.update(key, codec.encode(key, value), revision, STORE_TIMEOUT_MS),
      ),
    // Not kv.delete: it does not tell the marker's revision.
    remove: (key, revision) =>
      attempt(`${name}/${key}`, async () => {
        const marker = headers();
        marker.set("KV-Operation", "DEL");
        const { seq } = await stream.publish(`$KV.${name}.${key}`, new Uint8Array(0), {
          headers: marker,
          expect: { lastSubjectSequence: revision },
          timeout: STORE_TIMEOUT_MS,
        });
        return seq;
      }),
    revision: () => attempt(name, async () => (await kv.status()).streamInfo.state.last_seq),
    watch: (watcher) =>
      Promise.resolve(followBucket({ name, kv, link, codec, watcher, logger, onReplaced })),
  };
}
