import { ServicePolicySchema } from "@nodepass/model/fleet";
import { z } from "zod";
import { shortText } from "./short-text.ts";

/** Names a part of a service: `part` is its place in the record, 0 or 1. */
export const PartKeySchema = z.object({ sid: z.string(), part: z.int().min(0).max(1) });
export type PartKey = z.infer<typeof PartKeySchema>;

/**
 * What a hub can check that it, or another one, has said so; nobody else can make it. A hub of before
 * gives none.
 */
export const ProofSchema = z.custom<Uint8Array>(
  (proof) => proof instanceof Uint8Array && proof.byteLength <= 32,
);

/** That a store has given this revision. */
export const SeenSchema = z.object({ revision: z.int().min(0), proof: ProofSchema });
export type Seen = z.infer<typeof SeenSchema>;

/** What a member is to run; section 5, `apply`. */
export const PartOrderSchema = PartKeySchema.extend({
  /** Revision of the service's record. */
  rev: z.int().min(0),
  epoch: z.int().min(0),
  /** It is not this member's any more: stop and forget it, tell the last counters. */
  gone: z.boolean(),
  /**
   * With `gone`: forget the part but leave its instance as it is, running or not, as a local one; the
   * report is `released` all the same.
   */
  keep: z.boolean(),
  running: z.boolean(),
  url: z.string(),
  alias: z.string(),
  tags: z.record(z.string(), z.string()),
  /** Runs only while a lease names it at this epoch; section 7, rule 5. */
  strict: z.boolean(),
  /** Time to live of its owner, ms; 0 where the policy is `off`. */
  ttlMs: z.int().min(0),
  /**
   * The local instance that becomes this part: bound to it (and managed from then on) where the member
   * has no instance of the part yet and that one is there and local; ignored else.
   */
  adopt: z.string().nullable(),
  /** Of its service: kept, and told again when the store has been lost. */
  policy: ServicePolicySchema.optional(),
  /** That the member has the part, at this epoch and with this policy. */
  proof: ProofSchema.optional(),
  /** That the store has given `rev`. */
  seen: ProofSchema.optional(),
});
export type PartOrder = z.infer<typeof PartOrderSchema>;

/** What a part carried at one owner, bytes. */
export const CarriedSchema = z.object({
  tcprx: z.number(),
  tcptx: z.number(),
  udprx: z.number(),
  udptx: z.number(),
});

/** What became of a part at its member. Hubs keep it, so it is short. */
export const PartReportSchema = PartKeySchema.extend({
  sid: z.string().max(64),
  rev: z.int().min(0),
  epoch: z.int().min(0),
  outcome: z.enum(["applied", "released", "failed"]),
  /** Why it failed. */
  reason: shortText(1000),
  /** The local id of its instance; `null` if there is none. */
  instance: z.string().max(64).nullable(),
  running: z.boolean(),
  /** With `released`: all that it carried here, bytes. */
  carried: CarriedSchema.nullable(),
  /** As they were ordered; the policy, where it is another than `DEFAULT_POLICY`. */
  policy: ServicePolicySchema.optional(),
  proof: ProofSchema.optional(),
});
export type PartReport = z.infer<typeof PartReportSchema>;

/** Hub → member, a request. */
export const ApplySchema = z.object({ orders: z.array(PartOrderSchema).max(500) });
export type Apply = z.infer<typeof ApplySchema>;

/** The answer: at once for what was done at once, else by `done`. */
export const AppliedSchema = z.object({ reports: z.array(PartReportSchema) });
export type Applied = z.infer<typeof AppliedSchema>;

/** Member → hubs, whenever a part's report changes. */
export const DoneSchema = z.object({ reports: z.array(PartReportSchema) });
export type Done = z.infer<typeof DoneSchema>;

/** Hub → member: a dry run of a new part, or of another URL of one. */
export const PrepareSchema = z.object({
  /** With `auto` for a port that the member shall choose. */
  url: z.string(),
  /** The part that would change, whose addresses are its own; `null` for a new one. */
  key: PartKeySchema.nullable(),
});
export type Prepare = z.infer<typeof PrepareSchema>;

/** The answer of a dry run. */
export const PreparedSchema = z.object({
  ok: z.boolean(),
  /** Why not: names the value and what is allowed. */
  reason: shortText(1000),
  /** HTTP status that fits: 400 for a bad URL, 409 for an address that is held. */
  status: z.int(),
  /** The URL with its ports filled in. */
  url: z.string(),
  /** Port at which its tunnel listens for its peer; 0 for a client or a single end. */
  tunnelPort: z.int().min(0).max(65_535),
});
export type Prepared = z.infer<typeof PreparedSchema>;
