import { PART_ROLES, ServicePolicySchema } from "@nodepass/model/fleet";
import { z } from "zod";

/** One part of a service, as the bucket holds it. */
export const PartRecordSchema = z.object({
  role: z.enum(PART_ROLES),
  /** The mid of who runs it; `null` while a move waits for the old owner's word. */
  owner: z.string().nullable(),
  /** While a move waits: who had it, and who is to have it. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  /** Counts up whenever owner or key changes: the fencing token. */
  epoch: z.int().min(0),
  running: z.boolean(),
  url: z.string(),
  /** Selector; empty: any member. */
  sel: z.string(),
  /** Where it goes back to, and nothing while there is nowhere: the owner before a failover. */
  home: z.string().nullable(),
});
export type PartRecord = z.infer<typeof PartRecordSchema>;

/** A service: one record, so that one CAS makes, moves or re-keys a pair. Section 4. */
export const ServiceRecordSchema = z.object({
  v: z.literal(1),
  alias: z.string(),
  tags: z.record(z.string(), z.string()),
  policy: ServicePolicySchema,
  /** Id of the token that changed it last; `hub` for a failover. */
  by: z.string(),
  /** ms since 1970, for people. */
  at: z.number(),
  parts: z.array(PartRecordSchema).min(1).max(2),
});
export type ServiceRecord = z.infer<typeof ServiceRecordSchema>;
