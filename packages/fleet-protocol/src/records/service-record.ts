import { PART_ROLES, ServicePolicySchema } from "@nodepass/model/fleet";
import { z } from "zod";

/**
 * One part of a service, as the bucket holds it. Where it stands is in three of its fields:
 *
 * | owner | from | to | |
 * | --- | --- | --- | --- |
 * | X | – | – | settled |
 * | – | – | – | nobody has it, nor shall |
 * | – | A | B | moves: A is to give it up, then B gets it |
 * | – | A | – | A is to give it up, and nobody gets it |
 * | B | A | B | moved: B is to say that it runs; if it can't, it goes back to A |
 * | B | A | – | taken over from A, or given back to B by it: A may not have heard of it |
 * | A | A | – | strict from now on, or shorter: A is to say that it has heard so |
 *
 * While `from` is there and the policy is strict, the owner is named in no lease before `from` has
 * given the part up or its lease is surely over; section 7, rule 5.
 */
export const PartRecordSchema = z.object({
  role: z.enum(PART_ROLES),
  /** The mid of who runs it; `null` while a move waits for the old owner's word. */
  owner: z.string().nullable(),
  /** Who had it and may not know yet that it has it no more. */
  from: z.string().nullable(),
  /** Who is to have it, till it runs there. */
  to: z.string().nullable(),
  /** Counts up whenever owner or key changes: the fencing token. */
  epoch: z.int().min(0),
  running: z.boolean(),
  url: z.string(),
  /** Selector; empty: any member. */
  sel: z.string(),
  /** Where it goes back to, and nothing while there is nowhere: the owner before a failover. */
  home: z.string().nullable(),
  /** Id of the owner's local instance that it was made of; `null` once another master has had it. */
  adopt: z.string().nullable(),
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
  /** Its instances are to stay with their masters as local ones; then the record goes. */
  detached: z.boolean(),
  parts: z.array(PartRecordSchema).min(1).max(2),
});
export type ServiceRecord = z.infer<typeof ServiceRecordSchema>;
