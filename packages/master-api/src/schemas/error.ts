import { z } from "@hono/zod-openapi";

/** Every answer that is no success. */
export const ErrorSchema = z
  .object({ error: z.string().openapi({ description: "What went wrong, for people to read" }) })
  .openapi("Error", { example: { error: "Instance not found" } });

const body = { content: { "application/json": { schema: ErrorSchema } } } as const;

/** The error answers of a route, to be spread into its `responses`. */
export const badRequest = {
  400: { description: "The body or a parameter is unusable", ...body },
} as const;
export const forbidden = {
  403: { description: "The API key's entry cannot be changed in this way", ...body },
} as const;
export const notFound = {
  404: { description: "There is no such instance", ...body },
} as const;
export const conflict = {
  409: {
    description: "It has this URL already, or a running instance holds the address, or a limit",
    ...body,
  },
} as const;
export const tooLarge = { 413: { description: "The body is over 1 MiB", ...body } } as const;
export const unavailable = {
  503: { description: "The change could not be saved, or the master is closing", ...body },
} as const;
export const internal = {
  500: { description: "A fault of the master; its log has the details", ...body },
} as const;
export const unauthorized = {
  401: {
    description: "The key is missing or wrong",
    headers: { "WWW-Authenticate": { schema: { type: "string" } } },
    ...body,
  },
  429: {
    description: "Too many wrong keys; the right one is accepted all the same",
    headers: {
      "Retry-After": { description: "Seconds", schema: { type: "integer", minimum: 1 } },
    },
    ...body,
  },
  ...internal,
} as const;
