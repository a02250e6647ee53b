import { createHash, randomBytes } from "node:crypto";
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { nanos } from "@nats-io/nats-core";
import {
  type BucketRecord,
  BucketRecordSchema,
  LeaderRecordSchema,
  MemberRecordSchema,
  NameRecordSchema,
  ServiceRecordSchema,
  storeNames,
  TokenRecordSchema,
} from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import type { EngineLink } from "../engine/engine-link.ts";
import { auditSubject, openAuditStream } from "./audit-stream.ts";
import { type Bucket, type FleetStore, LEADER_KEY, StoreError } from "./fleet-store.ts";
import { kvBucket, STORE_TIMEOUT_MS } from "./kv-bucket.ts";
import { resealRecords } from "./reseal-records.ts";
import { MAX_RECORD_BYTES, type RecordCodec, sealedRecord } from "./sealed-record.ts";
import { storeFailure } from "./store-failure.ts";
import { sweepMarkers } from "./sweep-markers.ts";

/** What the store is opened with. */
export interface StoreOptions {
  readonly fleet: string;
  readonly link: EngineLink;
  /** 32 bytes each; the first seals, all open. */
  readonly dataKeys: readonly Uint8Array[];
  /** Servers that a record is kept on: 3 in a cluster, else 1. A store with fewer is given more. */
  readonly replicas: 1 | 3;
  readonly logger: Logger;
}

/** The seal adds 33 bytes, and a header says which operation and revision. */
const MAX_SEALED_BYTES = MAX_RECORD_BYTES + 1024;
/** So long an entry of the audit is kept, and with it the data key that has sealed it. */
export const AUDIT_AGE_MS = 90 * 86_400_000;
const AUDIT_BYTES = 1_073_741_824;

/** A store, and whether its access records were there before. */
export interface OpenedStore {
  readonly store: FleetStore;
  /** The bucket of tokens was made by this call: the fleet has begun, or its engine was lost. */
  readonly isNew: boolean;
  /**
   * Takes out the markers of what was removed before a moment, ms since 1970.
   *
   * @returns how many @throws {StoreError} `UNAVAILABLE`
   */
  sweep(before: number): Promise<number>;
  /**
   * Seals with the first data key what was sealed with another, the audit left out, which nobody can change.
   *
   * @returns how many records @throws {StoreError} `UNAVAILABLE`
   */
  reseal(): Promise<number>;
  /**
   * Whether one server alone keeps the leader's record, so that a read sees what was written last.
   *
   * @throws {StoreError} `UNAVAILABLE`
   */
  isOnOneServer(): Promise<boolean>;
}

/**
 * Opens the fleet's buckets and its audit stream in JetStream; what is not there is made. A bucket of
 * services that is made gets a new identity, so that members do not take an empty one for theirs.
 *
 * @throws {StoreError} `UNAVAILABLE`
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { fleet, link, dataKeys, logger } = options;
  const names = storeNames(fleet);
  try {
    const manager = await jetstreamManager(link.connection, { timeout: STORE_TIMEOUT_MS });
    await ensureBucket(options, manager, names.services);
    await ensureBucket(options, manager, names.members);
    await ensureBucket(options, manager, names.control);
    const isNew = await ensureBucket(options, manager, names.auth);
    await ensureAudit(options, manager, names.audit);
    const kvm = new Kvm(jetstream(link.connection, { timeout: STORE_TIMEOUT_MS }));
    const open = async <Value>(
      name: string,
      codec: RecordCodec<Value>,
      onReplaced?: (created: string) => Promise<void>,
    ): Promise<Bucket<Value>> => {
      // Not directly from any replica: a read sees what was acknowledged.
      const kv = await kvm.open(name, { allow_direct: false });
      return kvBucket<Value>({ name, kv, link, codec, logger, onReplaced });
    };
    const control = names.control;
    const { created } = await manager.streams.info(`KV_${names.services}`);
    const identities = await open(control, sealedRecord(control, BucketRecordSchema, dataKeys));
    const audit = await openAuditStream(link, fleet, names.audit, dataKeys);
    let identity = await identityOf(identities, created);
    const replaced = async (now: string) => {
      identity = await identityOf(identities, now);
      logger.warn({ bucket: names.services }, "another bucket of services is in the place of ours");
    };
    const store: FleetStore = {
      services: await open(
        names.services,
        sealedRecord(names.services, ServiceRecordSchema, dataKeys),
        replaced,
      ),
      members: await open(names.members, sealedRecord(names.members, MemberRecordSchema, dataKeys)),
      auth: await open(names.auth, sealedRecord(names.auth, TokenRecordSchema, dataKeys)),
      leader: await open(control, sealedRecord(control, LeaderRecordSchema, dataKeys)),
      names: await open(control, sealedRecord(control, NameRecordSchema, dataKeys)),
      get identity() {
        return identity;
      },
      audit: (entry) => audit.append(entry),
      readAudit: (query) => audit.read(query),
    };
    const sweep = async (before: number) => {
      let swept = 0;
      try {
        for (const name of [names.services, names.members, names.auth, names.control]) {
          const kv = await kvm.open(name, { allow_direct: false });
          swept += await sweepMarkers(manager, kv, name, before);
        }
        return swept;
      } catch (error) {
        throw storeFailure(error, "a sweep");
      }
    };
    const reseal = async () => {
      let resealed = 0;
      try {
        for (const name of [names.services, names.members, names.auth, names.control]) {
          const kv = await kvm.open(name, { allow_direct: false });
          // Who leads writes its record all the time, and must find it as it was.
          resealed += await resealRecords(kv, name, dataKeys, [LEADER_KEY]);
        }
        return resealed;
      } catch (error) {
        throw storeFailure(error, "what has a former seal");
      }
    };
    const isOnOneServer = async () => {
      try {
        const { config } = await manager.streams.info(`KV_${control}`);
        return config.num_replicas === 1;
      } catch (error) {
        throw storeFailure(error, control);
      }
    };
    return { store, isNew, sweep, reseal, isOnOneServer };
  } catch (error) {
    throw storeFailure(error, "the store's opening");
  }
}

/** @returns whether it was made */
async function ensureBucket(
  { replicas, fleet }: StoreOptions,
  manager: JetStreamManager,
  name: string,
): Promise<boolean> {
  const stream = `KV_${name}`;
  if (await adoptStream(manager, stream, replicas)) return false;
  return addStream(manager, {
    name: stream,
    description: `fleet ${fleet}`,
    subjects: [`$KV.${name}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    max_msg_size: MAX_SEALED_BYTES,
    num_replicas: replicas,
    allow_rollup_hdrs: true,
    allow_direct: true,
  });
}

async function ensureAudit(
  { replicas, fleet }: StoreOptions,
  manager: JetStreamManager,
  name: string,
): Promise<void> {
  if (await adoptStream(manager, name, replicas)) return;
  await addStream(manager, {
    name,
    description: `audit of fleet ${fleet}`,
    subjects: [auditSubject(fleet)],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(AUDIT_AGE_MS),
    max_bytes: AUDIT_BYTES,
    max_msg_size: MAX_SEALED_BYTES,
    num_replicas: replicas,
    deny_delete: true,
    deny_purge: true,
    allow_direct: true,
  });
}

/** Takes a stream that is there, and gives it the replicas that it lacks. @returns whether it is there */
async function adoptStream(
  manager: JetStreamManager,
  name: string,
  replicas: number,
): Promise<boolean> {
  try {
    const { config } = await manager.streams.info(name);
    if (config.num_replicas < replicas) {
      await manager.streams.update(name, { num_replicas: replicas });
    }
    return true;
  } catch (error) {
    const isMissing =
      error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
    if (isMissing) return false;
    throw error;
  }
}

/** @returns whether it is empty: another hub may have made it at the same moment */
async function addStream(
  manager: JetStreamManager,
  config: Parameters<JetStreamManager["streams"]["add"]>[0],
): Promise<boolean> {
  const info = await manager.streams.add(config);
  // Adding the same stream again is answered as if it had been made.
  return info.state.messages === 0;
}

/**
 * The identity of the bucket of services that was made at this moment: one that is made anew gets
 * another, whichever hub asks first.
 */
async function identityOf(bucket: Bucket<BucketRecord>, created: string): Promise<BucketRecord> {
  const key = `identity-${createHash("sha256").update(created).digest("hex").slice(0, 16)}`;
  const made: BucketRecord = { v: 1, nonce: randomBytes(16).toString("hex") };
  const found = await bucket.get(key);
  if (found !== undefined) return found.value;
  try {
    await bucket.create(key, made);
    return made;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "CONFLICT") throw error;
    const other = await bucket.get(key);
    if (other === undefined) throw error;
    return other.value;
  }
}
