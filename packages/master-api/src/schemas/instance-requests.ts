import { z } from "@hono/zod-openapi";
import {
  byteLength,
  hasAtMostCharacters,
  isWellFormed,
  MAX_TAGS,
  MAX_TAGS_BYTES,
  MAX_TEXT_CHARACTERS,
  MAX_URL_BYTES,
  shortText,
} from "./text.ts";

const instanceUrl = () =>
  z
    .string()
    .min(1, "missing")
    .refine((url) => byteLength(url) <= MAX_URL_BYTES, {
      error: `longer than ${MAX_URL_BYTES} bytes`,
    })
    .refine(isWellFormed, { error: "not valid Unicode" })
    .openapi({
      description: "`server://` or `client://` URL of the tunnel",
      maxLength: MAX_URL_BYTES,
      example: "server://0.0.0.0:10101/127.0.0.1:8080?tls=1",
    });

/** `POST /instances`. */
export const NewInstanceSchema = z
  .object({
    url: instanceUrl(),
    alias: shortText()
      .nullish()
      .transform((alias) => alias ?? undefined),
  })
  .openapi("NewInstance");

/** `PUT /instances/{id}`. */
export const InstanceUrlSchema = z.object({ url: instanceUrl() }).openapi("InstanceUrl");

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
  .openapi({ maxProperties: MAX_TAGS, description: "Replaces all tags; `{}` removes them" });

const metaChange = z.object({
  peer: z
    .object({ sid: peerText(), type: peerText(), alias: peerText() })
    .nullish()
    .transform((peer) => peer ?? undefined)
    .openapi({ description: "Replaces the peer; what is missing or null becomes empty" }),
  tags: tags.nullish().transform((all) => all ?? undefined),
});

/** `PATCH /instances/{id}`: every field on its own; what is absent or null stays as it is. */
export const InstanceChangeSchema = z
  .object({
    alias: shortText()
      .nullish()
      .transform((alias) => alias ?? undefined)
      .openapi({ description: "The empty string removes it" }),
    restart: z
      .boolean()
      .nullish()
      .transform((restart) => restart ?? undefined)
      .openapi({ description: "Whether it starts with the master" }),
    action: z
      .enum(["start", "stop", "restart", "reset"])
      .nullish()
      .transform((action) => action ?? undefined)
      .openapi({ description: "`reset` sets the traffic counters to zero" }),
    meta: metaChange
      .nullish()
      .transform((meta) => meta ?? undefined)
      .openapi({ description: "`peer` and `tags` leave each other alone" }),
  })
  .openapi("InstanceChange");

/** The id in the path. */
export const InstanceIdParams = z.object({
  id: z.string().openapi({ param: { name: "id", in: "path" }, example: "a1b2c3d4" }),
});
