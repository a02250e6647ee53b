import { z } from "zod";
import { INSTANCE_ACTIONS } from "../instance.ts";
import {
  byteLength,
  hasAtMostCharacters,
  isWellFormed,
  MAX_TAGS,
  MAX_TAGS_BYTES,
  MAX_TEXT_CHARACTERS,
} from "../text-limits.ts";
import { instanceUrl, shortText } from "./text.ts";

/** `POST /instances`. */
export const NewInstanceSchema = z
  .object({
    url: instanceUrl(),
    alias: shortText()
      .nullish()
      .transform((alias) => alias ?? undefined),
  })
  .meta({ id: "NewInstance" });

/** `PUT /instances/{id}`. */
export const InstanceUrlSchema = z.object({ url: instanceUrl() }).meta({ id: "InstanceUrl" });

/** Dashboards send `null` for a name that was not given: it means the empty string. */
const peerText = () =>
  shortText()
    .nullish()
    .transform((text) => text ?? "");

const tags = z
  .record(z.string(), shortText())
  .refine((all) => Object.keys(all).length <= MAX_TAGS, { error: `more than ${MAX_TAGS} tags` })
  .refine((all) => Object.keys(all).every((key) => hasAtMostCharacters(key, MAX_TEXT_CHARACTERS)), {
    error: `a name longer than ${MAX_TEXT_CHARACTERS} characters`,
  })
  .refine((all) => Object.keys(all).every(isWellFormed), { error: "a name is not valid Unicode" })
  .refine((all) => byteLength(JSON.stringify(all)) <= MAX_TAGS_BYTES, {
    error: `more than ${MAX_TAGS_BYTES} bytes`,
  })
  .meta({ maxProperties: MAX_TAGS, description: "Replaces all tags; `{}` removes them" });

const metaChange = z.object({
  peer: z
    .object({ sid: peerText(), type: peerText(), alias: peerText() })
    .nullish()
    .transform((peer) => peer ?? undefined)
    .meta({ description: "Replaces the peer; what is missing or null becomes empty" }),
  tags: tags.nullish().transform((all) => all ?? undefined),
});

/** `PATCH /instances/{id}`: every field on its own; what is absent or null stays as it is. */
export const InstanceChangeSchema = z
  .object({
    alias: shortText()
      .nullish()
      .transform((alias) => alias ?? undefined)
      .meta({ description: "The empty string removes it" }),
    restart: z
      .boolean()
      .nullish()
      .transform((restart) => restart ?? undefined)
      .meta({ description: "Whether it starts with the master" }),
    action: z
      .enum(INSTANCE_ACTIONS)
      .nullish()
      .transform((action) => action ?? undefined)
      .meta({ description: "`reset` sets the traffic counters to zero" }),
    meta: metaChange
      .nullish()
      .transform((meta) => meta ?? undefined)
      .meta({ description: "`peer` and `tags` leave each other alone" }),
  })
  .meta({ id: "InstanceChange" });
