import type { z } from "@hono/zod-openapi";

/** The JSON that a route answers with, as `responses` declares it. */
export const jsonAnswer = <Schema extends z.ZodType>(description: string, schema: Schema) =>
  ({ description, content: { "application/json": { schema } } }) as const;

/** The JSON that a route takes, as `request.body` declares it. */
export const jsonRequest = <Schema extends z.ZodType>(schema: Schema) =>
  ({ required: true, content: { "application/json": { schema } } }) as const;
