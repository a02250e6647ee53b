import { z } from "zod";

/** Schema version that this program writes. */
export const STATE_VERSION = 1;

const counter = z.number().int().nonnegative();

/** Zod drops a tag named `__proto__`, so no decoded object gets a foreign prototype. */
const instanceMetaSchema = z.object({
  peer: z.object({ sid: z.string(), type: z.string(), alias: z.string() }),
  tags: z.record(z.string(), z.string()),
});

/** Checks one instance. Unknown fields are dropped: a field that matters raises the version. */
export const instanceRecordSchema = z.object({
  id: z.string().min(1),
  alias: z.string(),
  type: z.enum(["server", "client"]),
  url: z.string().min(1),
  restart: z.boolean(),
  running: z.boolean(),
  meta: instanceMetaSchema,
  tcprx: counter,
  tcptx: counter,
  udprx: counter,
  udptx: counter,
  createdAt: counter.optional(),
});

/** Checks a whole state of the current version. */
export const masterStateSchema = z.object({
  version: z.literal(STATE_VERSION),
  masterId: z.string().regex(/^[0-9a-f]{16}$/),
  alias: z.string(),
  apiKey: z.string().min(1),
  instances: z.array(instanceRecordSchema).superRefine((instances, context) => {
    const seen = new Set<string>();
    for (const { id } of instances) {
      if (seen.has(id))
        context.addIssue({ code: "custom", message: `two instances have id ${id}` });
      seen.add(id);
    }
  }),
});

/** What an operator or a dashboard attached to an instance. */
export interface InstanceMeta {
  peer: { sid: string; type: string; alias: string };
  tags: Record<string, string>;
}

/** One instance as it is kept on disk. */
export interface InstanceRecord {
  /** Unique within a state. */
  id: string;
  alias: string;
  type: "server" | "client";
  /** As the client of the API sent it, byte for byte. */
  url: string;
  /** Start it when the master starts. */
  restart: boolean;
  /** It was started and not stopped when the state was written. */
  running: boolean;
  meta: InstanceMeta;
  /** Traffic in bytes, cumulative over restarts of the instance and of the master. */
  tcprx: number;
  tcptx: number;
  udprx: number;
  udptx: number;
  /** Milliseconds since 1970. */
  createdAt?: number | undefined;
}

/** All that a master keeps. */
export interface MasterState {
  version: typeof STATE_VERSION;
  /** 16 hex digits. */
  masterId: string;
  alias: string;
  apiKey: string;
  instances: InstanceRecord[];
}
