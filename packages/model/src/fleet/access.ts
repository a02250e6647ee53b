import { z } from "zod";
import { shortText } from "../schemas/text.ts";
import { givenObject, wholeNumber } from "./given.ts";
import { LabelsSchema } from "./labels.ts";
import { selectorText } from "./services.ts";

/**
 * Secrets of API tokens begin so; what a gateway finds in a key's place that does not is a master's
 * own key.
 */
export const API_TOKEN_PREFIX = "npf_";

/** From the least to the most that they may: see; also start, stop, restart, move, create; everything. */
export const FLEET_ROLES = ["viewer", "operator", "admin"] as const;
export type FleetRole = (typeof FLEET_ROLES)[number];

/** Whether a role may do what needs another one. */
export function hasRole(role: FleetRole, needed: FleetRole): boolean {
  return FLEET_ROLES.indexOf(role) >= FLEET_ROLES.indexOf(needed);
}

/** A token as lists show it: never the secret. */
export const FleetTokenSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["api", "join"]),
    role: z.enum(FLEET_ROLES).optional().meta({ description: "Of an API token" }),
    selector: z.string().meta({ description: "Masters that it may see and touch; empty: all" }),
    labels: LabelsSchema.meta({ description: "What a join token gives to whoever joins with it" }),
    uses: z.union([z.int().min(0), z.null()]).meta({ description: "Left; null: no limit" }),
    expires: z.union([z.iso.datetime(), z.null()]),
    note: z.string(),
    created: z.iso.datetime(),
  })
  .meta({ id: "FleetToken" });
export type FleetToken = z.infer<typeof FleetTokenSchema>;

/** A join token of which nothing else is said is good for one master and an hour (s). */
export const JOIN_TOKEN_DEFAULTS = { uses: 1, ttl: 3600 } as const;

/** `POST /fleet/tokens`. */
export const NewTokenSchema = givenObject({
  kind: z.enum(["api", "join"]),
  role: z.enum(FLEET_ROLES).default("viewer"),
  selector: selectorText().default(""),
  labels: LabelsSchema.default({}),
  uses: wholeNumber(1, 100_000)
    .nullish()
    .meta({ description: "Of a join token; absent: 1, null: no limit" }),
  ttl: wholeNumber(60, 3650 * 86_400)
    .nullish()
    .meta({ description: "Seconds; null: for ever. Absent: of a join token 3600, else for ever" }),
  note: shortText().default(""),
}).meta({ id: "NewFleetToken" });
export type NewToken = z.infer<typeof NewTokenSchema>;

/** The answer to it: the secret is in no other. */
export const CreatedTokenSchema = FleetTokenSchema.extend({ token: z.string() }).meta({
  id: "CreatedFleetToken",
});
export type CreatedToken = z.infer<typeof CreatedTokenSchema>;

/** One record of who did what. */
export const AuditEntrySchema = z
  .object({
    sequence: z.int().min(0),
    time: z.iso.datetime(),
    token: z.string().meta({ description: "Id of the caller's token; `hub` for a failover" }),
    role: z.string(),
    from: z.string().meta({ description: "IP address of who asked" }),
    action: z.string().meta({ description: "`service.create`, `master.remove`, `api`, …" }),
    object: z.string().meta({ description: "sid, mid or token id" }),
    before: z.union([z.string(), z.null()]).meta({ description: "Revision" }),
    after: z.union([z.string(), z.null()]).meta({ description: "Revision" }),
    outcome: z.enum(["intended", "done", "refused", "failed"]),
    detail: z.string().meta({ description: "For people, keys masked" }),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntrySchema>;
