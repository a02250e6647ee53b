import { FLEET_ROLES, LabelsSchema } from "@nodepass/model/fleet";
import { z } from "zod";

/** A join or API token: only a hash of its secret. */
export const TokenRecordSchema = z.object({
  v: z.literal(1),
  kind: z.enum(["api", "join"]),
  /** SHA-256 of the secret, 32 bytes. */
  hash: z.instanceof(Uint8Array),
  role: z.enum(FLEET_ROLES),
  selector: z.string(),
  labels: LabelsSchema,
  /** Left; `null`: no limit. */
  uses: z.int().min(0).nullable(),
  /** ms since 1970; `null`: never. */
  expires: z.number().nullable(),
  note: z.string(),
  created: z.number(),
});
export type TokenRecord = z.infer<typeof TokenRecordSchema>;

/** Who leads: rewritten with the same content at each renewal, so its revision shows life. Section 7, rule 3. */
export const LeaderRecordSchema = z.object({
  v: z.literal(1),
  hub: z.string(),
  /** Of the process, 8 random bytes in hexadecimal. */
  nonce: z.string(),
  /** It has given the lead up: who wants it may have it now. */
  resigned: z.boolean().optional(),
});
export type LeaderRecord = z.infer<typeof LeaderRecordSchema>;

/** Whose a name is: a service's alias, or a master's name. */
export const NameRecordSchema = z.object({ v: z.literal(1), owner: z.string() });
export type NameRecord = z.infer<typeof NameRecordSchema>;

/** What tells this bucket from one that was made anew. Section 7, rule 7. */
export const BucketRecordSchema = z.object({ v: z.literal(1), nonce: z.string() });
export type BucketRecord = z.infer<typeof BucketRecordSchema>;
