import { z } from "@hono/zod-openapi";
import { jsonAnswer } from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";

/** The header that names the revision that a change is meant for. @see RFC 9110, section 13.1.1 */
export const IfMatchHeader = z.object({
  "if-match": z
    .string()
    .optional()
    .openapi({
      param: { name: "if-match", in: "header" },
      description: '`"<revision>"`: only if nobody has changed it since; else 412',
      example: '"11"',
    }),
});

/**
 * @returns the revision that `If-Match` names; `undefined`: whatever it is
 * @throws {ServiceError} `INVALID`: not one revision in quotes
 */
export function revisionOf(ifMatch: string | undefined): string | undefined {
  if (ifMatch === undefined || ifMatch.trim() === "*") return undefined;
  const revision = /^\s*"([^"\\]{1,64})"\s*$/.exec(ifMatch)?.[1];
  if (revision !== undefined) return revision;
  const shown = JSON.stringify(ifMatch.slice(0, 80));
  throw new ServiceError("INVALID", `If-Match ${shown} is neither "<revision>" in quotes nor *`);
}

/** An answer with one thing, and the revision that a change of it may name. */
export const revisedAnswer = <Schema extends z.ZodType>(description: string, schema: Schema) =>
  ({
    headers: { ETag: { description: "The revision, for `If-Match`", schema: { type: "string" } } },
    ...jsonAnswer(description, schema),
  }) as const;

/** `ETag` of a service or master. */
export function etagOf({ revision }: { readonly revision: string }): Record<string, string> {
  return { ETag: `"${revision}"` };
}
