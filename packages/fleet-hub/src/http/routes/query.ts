import { z } from "@hono/zod-openapi";
import { parseSelector, SelectorError } from "@nodepass/model/fleet";

/** A parameter that may be given once, or not at all. */
export const once = <Schema extends z.ZodType>(schema: Schema, name: string) =>
  schema.optional().openapi({ param: { name, in: "query" } });

/** `true` or `false`. */
export const flag = (name: string, description: string) =>
  z
    .enum(["true", "false"], { error: "neither true nor false" })
    .default("false")
    .transform((text) => text === "true")
    .openapi({ param: { name, in: "query" }, type: "boolean", description });

/** Labels that select masters. @returns its text, which can be read */
export const selectorQuery = () =>
  z
    .string({ error: "given twice" })
    .max(8192, "longer than 8192 characters")
    .superRefine((text, context) => {
      try {
        parseSelector(text);
      } catch (error) {
        if (!(error instanceof SelectorError)) throw error;
        context.addIssue({ code: "custom", message: error.message });
      }
    })
    .default("")
    .openapi({
      param: { name: "selector", in: "query" },
      description: "Conditions over labels, all of which hold: `name=value`, `!=`, `name`, `!name`",
      example: "region=eu,!busy",
    });
