import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type AuditEntry, AuditEntrySchema } from "@nodepass/model/fleet";
import type { EngineLink } from "../engine/engine-link.ts";
import { type AuditQuery, StoreError } from "./fleet-store.ts";
import { STORE_TIMEOUT_MS } from "./kv-bucket.ts";
import { sealedRecord } from "./sealed-record.ts";
import { storeFailure } from "./store-failure.ts";

const EntrySchema = AuditEntrySchema.omit({ sequence: true });

/** The audit stream; section 4. */
export interface AuditStream {
  append(entry: Omit<AuditEntry, "sequence">): Promise<number>;
  read(query: AuditQuery): Promise<readonly AuditEntry[]>;
}

/** Subject that the audit's records are published to; no member may. */
export function auditSubject(fleet: string): string {
  return `np.${fleet}.audit`;
}

/** @param name of the stream */
export async function openAuditStream(
  link: EngineLink,
  fleet: string,
  name: string,
  dataKeys: readonly Uint8Array[],
): Promise<AuditStream> {
  const stream: JetStreamClient = jetstream(link.connection, { timeout: STORE_TIMEOUT_MS });
  const manager: JetStreamManager = await jetstreamManager(link.connection, {
    timeout: STORE_TIMEOUT_MS,
  });
  const codec = sealedRecord(name, EntrySchema, dataKeys);

  const demand = () => {
    if (!link.isConnected()) throw new StoreError("UNAVAILABLE", "the engine can't be reached");
  };
  return {
    append: async (entry) => {
      demand();
      try {
        const { seq } = await stream.publish(auditSubject(fleet), codec.encode("entry", entry), {
          timeout: STORE_TIMEOUT_MS,
        });
        return seq;
      } catch (error) {
        throw storeFailure(error, "an entry of the audit");
      }
    },
    read: async ({ before, limit }) => {
      demand();
      try {
        const { state } = await manager.streams.info(name);
        const end = Math.min(before ?? state.last_seq + 1, state.last_seq + 1);
        const start = Math.max(state.first_seq, end - limit);
        if (state.messages === 0 || start >= end) return [];
        const entries: AuditEntry[] = [];
        const batch = await manager.direct.getBatch(name, { seq: start, batch: end - start });
        for await (const message of batch) {
          try {
            entries.push({ sequence: message.seq, ...codec.decode("entry", message.data) });
          } catch {
            entries.push(unreadable(message.seq, message.time));
          }
        }
        return entries.reverse();
      } catch (error) {
        throw storeFailure(error, "a page of the audit");
      }
    },
  };
}

/** What can't be read is shown as such: an entry that is missing would be no audit. */
function unreadable(sequence: number, time: Date): AuditEntry {
  return {
    sequence,
    time: time.toISOString(),
    token: "",
    role: "",
    from: "",
    action: "unreadable",
    object: "",
    before: null,
    after: null,
    outcome: "failed",
    detail: "the record can't be read: it was changed, or sealed with a key that this hub has not",
  };
}
