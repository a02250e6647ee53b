import { z } from "zod";
import { TOTAL_NAMES, type TotalName } from "../counters.ts";

const counter = z.number().int().nonnegative();

/** Kept counters; one that is newer than the file begins at 0. */
const totals = Object.fromEntries(TOTAL_NAMES.map((name) => [name, counter.default(0)])) as Record<
  TotalName,
  z.ZodDefault<z.ZodNumber>
>;

/** Zod drops a tag named `__proto__`, so no decoded object gets a foreign prototype. */
const meta = z.object({
  peer: z.object({ sid: z.string(), type: z.string(), alias: z.string() }),
  tags: z.record(z.string(), z.string()),
});

/** Checks what is kept of one instance. Unknown fields are dropped. */
export const instanceRecordSchema = z.object({
  id: z.string().min(1),
  alias: z.string(),
  type: z.enum(["server", "client"]),
  url: z.string().min(1),
  restart: z.boolean(),
  running: z.boolean(),
  meta,
  ...totals,
  createdAt: counter.optional(),
  quota: z.object({ start: counter, used: counter, warned: counter }).optional(),
});
