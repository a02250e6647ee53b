import { z } from "zod";
import { instanceUrl, shortText } from "../schemas/text.ts";
import { MAX_TAGS } from "../text-limits.ts";
import { givenObject, wholeNumber } from "./given.ts";
import { parseSelector } from "./selector.ts";

/** What happens to a part whose owner is lost: nothing, it is run elsewhere, or both and never two at once. */
const FAILOVER_POLICIES = ["off", "serve", "strict"] as const;
export type FailoverPolicy = (typeof FAILOVER_POLICIES)[number];

/** Lowest, default and highest time to live of an owner, seconds. */
export const FAILOVER_TTL = { min: 3, default: 15, max: 300 } as const;

/** Which end of a tunnel a part is. */
export const PART_ROLES = ["server", "client"] as const;
export type PartRole = (typeof PART_ROLES)[number];

/** Labels that select masters; the empty text selects all. */
export const selectorText = () =>
  shortText().superRefine((text, context) => {
    try {
      parseSelector(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "" });
    }
  });

const failover = z.enum(FAILOVER_POLICIES);
const ttl = wholeNumber(FAILOVER_TTL.min, FAILOVER_TTL.max);
const failback = z.enum(["never", "healthy"]);

/** When a part is run elsewhere, and whether it goes back. */
export const ServicePolicySchema = z
  .object({
    failover: failover.default("off"),
    ttl: ttl.default(FAILOVER_TTL.default).meta({
      description: "Seconds without a word after which an owner is lost",
    }),
    failback: failback.default("never").meta({
      description: "`healthy`: back to the old owner when it was well for 10 minutes",
    }),
  })
  .meta({ id: "ServicePolicy" });
export type ServicePolicy = z.infer<typeof ServicePolicySchema>;
/** What holds where nothing is said. */
export const DEFAULT_POLICY: ServicePolicy = ServicePolicySchema.parse({});

/**
 * Of a part: `pending` till its owner has said so, and of a client while its server does not run; `applied`: it runs (or is stopped) there as the
 * service says; `failed` with the reason; `released`: no master has it; `unreachable`: its owner is not
 * there, what it last said no longer counts.
 */
export const PART_STATES = ["pending", "applied", "failed", "released", "unreachable"] as const;

/** One end of a service, which one master runs. */
const ServicePartSchema = z
  .object({
    role: z.enum(PART_ROLES),
    owner: z.union([z.string(), z.null()]).meta({ description: "The master's mid" }),
    epoch: z.int().min(0).meta({ description: "Counts up when owner or key change" }),
    running: z.boolean().meta({ description: "Whether it shall run" }),
    url: z.string().meta({ description: "With its key masked unless an admin asks" }),
    selector: z.string().meta({ description: "Masters that it may be placed on" }),
    state: z.enum(PART_STATES),
    reason: z.string(),
    instance: z.union([z.string(), z.null()]).meta({ description: "Its id at its owner" }),
  })
  .meta({ id: "ServicePart" });
export type ServicePart = z.infer<typeof ServicePartSchema>;

const serviceTags = z
  .record(z.string(), shortText())
  .refine((all) => Object.keys(all).length <= MAX_TAGS, { error: `more than ${MAX_TAGS} tags` });

/** A tunnel, or both ends of one, wherever in the fleet it runs. */
export const ServiceSchema = z
  .object({
    sid: z.string().meta({ description: "Also `meta.peer.sid` of its instances" }),
    alias: z.string(),
    tags: z.record(z.string(), z.string()),
    policy: ServicePolicySchema,
    revision: z.string().meta({ description: "For `If-Match`" }),
    by: z.string().meta({ description: "Token that changed it last" }),
    changed: z.iso.datetime(),
    parts: z.array(ServicePartSchema).min(1).max(2).readonly(),
  })
  .meta({ id: "FleetService" });
export type Service = z.infer<typeof ServiceSchema>;

const NewPartSchema = givenObject({
  role: z.enum(PART_ROLES).optional().meta({ description: "Of the URL, unless given" }),
  url: instanceUrl().meta({
    description:
      "A tunnel's URL. `auto` for a port takes a free one of the master; in a pair the client's tunnel address may be `auto`, and keys may be left out: they are made",
    example: "server://0.0.0.0:auto/127.0.0.1:8080?tls=1",
  }),
  master: shortText().optional().meta({ description: "mid or name of the master" }),
  selector: selectorText().optional().meta({ description: "Else: where it may be placed" }),
  spread: shortText().optional().meta({
    description: "Label whose values the services with this alias prefix are spread over",
  }),
  running: z.boolean().default(true),
}).meta({ id: "NewServicePart" });

/** `POST /fleet/services`: one part, or a server and a client. */
export const NewServiceSchema = givenObject({
  alias: shortText().default(""),
  tags: serviceTags.default({}),
  policy: givenObject(ServicePolicySchema.shape).default(DEFAULT_POLICY),
  parts: z
    .array(NewPartSchema)
    .min(1, "none is given (allowed: one, or a server and a client)")
    .max(2, "more than two are given (allowed: one, or a server and a client)"),
}).meta({ id: "NewFleetService" });
export type NewService = z.infer<typeof NewServiceSchema>;
export type NewServicePart = NewService["parts"][number];

const PartChangeSchema = givenObject({
  role: z.enum(PART_ROLES).optional().meta({ description: "Which part; may be left out of one" }),
  url: instanceUrl().optional(),
  running: z.boolean().optional(),
  selector: selectorText().optional(),
});

/** `PATCH /fleet/services/{sid}`: what is absent stays. */
export const ServiceChangeSchema = givenObject({
  alias: shortText().optional(),
  tags: serviceTags.optional().meta({ description: "Replaces all tags" }),
  policy: givenObject({
    failover: failover.optional(),
    ttl: ttl.optional(),
    failback: failback.optional(),
  }).optional(),
  parts: z.array(PartChangeSchema).max(2, "more than two are given").optional(),
}).meta({ id: "FleetServiceChange" });
export type ServiceChange = z.infer<typeof ServiceChangeSchema>;

/** `POST /fleet/services/{sid}/move`. */
export const MoveSchema = givenObject({
  part: z.enum(PART_ROLES).optional().meta({ description: "May be left out of one" }),
  to: shortText().optional().meta({ description: "mid or name of the new owner" }),
  selector: selectorText().optional().meta({ description: "Else: one of these" }),
  force: z.boolean().default(false).meta({
    description: "Does not wait for an owner that is silent; never for a `strict` part",
  }),
}).meta({ id: "ServiceMove" });
export type Move = z.infer<typeof MoveSchema>;
