import { z } from "@hono/zod-openapi";

/** Every answer that is no success. */
export const ErrorSchema = z
  .object({ error: z.string().openapi({ description: "What went wrong, for people to read" }) })
  .openapi("Error");

/** The body of an error answer, with an example that fits its status. */
const body = (error: string) =>
  ({ content: { "application/json": { schema: ErrorSchema, example: { error } } } }) as const;

/** One error answer. @param example its text */
export const failure = (description: string, example: string) => ({
  description,
  ...body(example),
});

/** The error answers of a route, to be spread into its `responses`. */
export const badRequest = (example: string) =>
  ({ 400: { description: "The body or a parameter is unusable", ...body(example) } }) as const;
const forbidden = {
  403: {
    description: "The API key's entry cannot be changed in this way, or the key may only read",
    ...body("this key may only read"),
  },
} as const;
export const notFound = {
  404: { description: "There is no such instance", ...body("Instance not found") },
} as const;
export const conflict = {
  409: {
    description: "It has this URL already, or a running instance holds the address, or a limit",
    ...body("address 0.0.0.0:10101 is held by instance a1b2c3d4"),
  },
} as const;
/** The answer to a body over its limit. */
export const tooLarge = {
  413: { description: "The body is over 1 MiB", ...body("body over 1 MiB") },
} as const;
export const unavailable = {
  503: {
    description: "The change could not be saved, or the master is closing",
    ...body("the change could not be saved"),
  },
} as const;
export const tooManyStreams = {
  503: {
    description: "Too many streams, or the master is closing",
    ...body("too many event streams"),
  },
} as const;
/** The answer to a fault of the program. */
export const internal = {
  500: { description: "A fault of the master; its log has the details", ...body("internal error") },
} as const;
/** The answers to a missing, a wrong and too many wrong keys. */
export const unauthorized = {
  401: {
    description: "The key is missing or wrong",
    headers: { "WWW-Authenticate": { schema: { type: "string" } } },
    ...body("Unauthorized: Invalid API key"),
  },
  429: {
    description: "Too many wrong keys; the right one is accepted all the same",
    headers: {
      "Retry-After": { description: "Seconds", schema: { type: "integer", minimum: 1 } },
    },
    ...body("Too many wrong keys"),
  },
  ...internal,
} as const;

/** The same for what a key that may only read is refused. */
export const unauthorizedOrReading = { ...unauthorized, ...forbidden } as const;
