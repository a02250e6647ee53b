import { LabelsSchema, MEMBER_PERMISSIONS } from "@nodepass/model/fleet";
import { z } from "zod";

/** A member, as the bucket holds it. */
export const MemberRecordSchema = z.object({
  v: z.literal(1),
  name: z.string(),
  labels: LabelsSchema,
  /** Host under which its tunnels are reached; may be empty. */
  address: z.string(),
  /** Addresses that it had and that a client in the store may still dial; the leader clears them. */
  formerAddresses: z.array(z.string()).optional(),
  /** Public NKey (`U…`). */
  nkey: z.string(),
  /** Public X25519 key, 32 bytes. */
  box: z.instanceof(Uint8Array),
  /** What it accepts from hubs, as it has said last; absent: all of it. */
  allow: z.array(z.enum(MEMBER_PERMISSIONS)).optional(),
  draining: z.boolean(),
  /** ms since 1970, for people. */
  joined: z.number(),
  /** It was removed: kept so that its key stays revoked. */
  evicted: z.boolean(),
  /** When, ms since 1970: the engine keeps a revocation for no longer than a JWT can live. */
  evictedAt: z.number().optional(),
});
export type MemberRecord = z.infer<typeof MemberRecordSchema>;
