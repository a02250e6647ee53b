import { MEMBER_PERMISSIONS } from "@nodepass/model/fleet";
import { z } from "zod";
import { HubKeysSchema, HubRunsSchema } from "./join.ts";
import { PartOrderSchema, PartReportSchema, ProofSchema, SeenSchema } from "./parts.ts";
import { shortText } from "./short-text.ts";

/** Member → any hub, at its start and after each reconnect. */
export const SyncSchema = z.object({
  /** Boot nonce of the process, 8 bytes in hexadecimal. */
  session: z.string().max(64),
  version: shortText(64),
  name: shortText(256),
  allow: z.array(z.enum(MEMBER_PERMISSIONS)).max(8),
  /** Highest revision it ever applied. */
  revision: z.int().min(0),
  /** The bucket that it knows; empty at first. */
  bucket: z.string(),
  /** The highest revision of that bucket that a hub has told it of; what it can't show, no hub believes. */
  seen: SeenSchema.optional(),
  parts: z.array(PartReportSchema).max(500),
  /** Whether more instances than its parts are there: local ones. */
  local: z.int().min(0),
  /**
   * What its API's paths begin with, before `/v1`; `/api` unless it says so. Dashboards are told to put it behind
   * `https://host`, so it must not make that another host's URL.
   */
  prefix: z
    .string()
    .max(128)
    .regex(/^(?:\/[A-Za-z0-9._~-]+)*$/)
    .optional(),
  /** Runs of hubs that it has heard of; a member of before knows none, and is believed as it is. */
  runs: HubRunsSchema.optional(),
});
export type Sync = z.infer<typeof SyncSchema>;

/** The full set of what it is to run. */
export const SyncedSchema = z.discriminatedUnion("answer", [
  z.object({
    answer: z.literal("set"),
    /** Revision of the index that the set is from. */
    revision: z.int().min(0),
    bucket: z.string(),
    /** That this bucket has given this revision. */
    seen: ProofSchema.optional(),
    orders: z.array(PartOrderSchema).max(500),
    /** Its name and address as the fleet has them. */
    name: z.string(),
    /** The fleet's keys; what seals this vouches for them. */
    hubKeys: HubKeysSchema.optional(),
    /** Runs of hubs that are there. */
    runs: HubRunsSchema.optional(),
  }),
  /** It did not name this hub's run, so it may be an old one: again at once, with these. */
  z.object({ answer: z.literal("again"), runs: HubRunsSchema }),
  /** Too many at once: again after so long. */
  z.object({ answer: z.literal("busy"), afterMs: z.int().min(0) }),
  /** It was removed from the fleet. */
  z.object({ answer: z.literal("evicted"), reason: z.string() }),
]);
export type Synced = z.infer<typeof SyncedSchema>;

/** Hub → member: the process with this nonce has lost its seat to another one. */
export const EvictSchema = z.object({ session: z.string(), reason: z.string() });
export type Evict = z.infer<typeof EvictSchema>;

/**
 * Hub → member: this hub has heard of it, but does not know what it runs (the hub has just begun, while
 * the member's connection to the engine held): sync within `afterMs`, at a random moment.
 */
export const ResyncSchema = z.object({
  session: z.string(),
  afterMs: z.int().min(0).max(60_000),
  /** Runs of hubs that are there. */
  runs: HubRunsSchema.optional(),
});
export type Resync = z.infer<typeof ResyncSchema>;

/** Member → leader: keep mine. Section 7, rule 4. */
export const LeaseRequestSchema = z.object({
  session: z.string().max(64),
  /**
   * The `hub` of the last lease that it was given. Only a request of a process that has named the
   * answering hub's run, here or before, is a word of now: one that was kept by who runs the engine, and
   * that a hub has not seen before, is of another.
   */
  hub: z.string().max(64).optional(),
  parts: z
    .array(z.object({ sid: z.string(), part: z.int().min(0).max(1), epoch: z.int().min(0) }))
    .max(500),
});
export type LeaseRequest = z.infer<typeof LeaseRequestSchema>;

/** Lasts from when the request was *sent*. */
export const LeaseSchema = z.object({
  /** Nonce of the hub's run; if it is not the one that was asked with, nothing is given: ask again with it. */
  hub: z.string().max(64).optional(),
  parts: z.array(
    z.object({
      sid: z.string(),
      part: z.int().min(0).max(1),
      epoch: z.int().min(0),
      ttlMs: z.int().min(0),
    }),
  ),
});
export type Lease = z.infer<typeof LeaseSchema>;
