import type { RemoteInstance } from "@nodepass/master-client";
import { z } from "zod";

const text = (description: string) => z.string().describe(description);

/**
 * An instance in results: the schema says what is not to be guessed, since every tool that answers
 * with one repeats it; all fields of the API come along.
 */
export const InstanceOutput = z
  .looseObject({
    id: z.string(),
    alias: z.string(),
    type: text("server or client"),
    status: text("running, stopped or error"),
    reason: text("why the status is error, else empty"),
    link: text("up with its peer, down without, none if it has none; empty where not told"),
    url: text("as it was given"),
    restart: z.boolean().describe("starts with the master"),
  })
  .describe("counters: tcprx, tcptx, udprx, udptx in bytes; tcps, udps, pool now; ping in ms");

/** What the master overlooked in a URL. */
export const warningsOutput = z
  .array(z.string())
  .optional()
  .describe("what was overlooked in the URL; absent if nothing was");

/** An instance as the API shows it, whatever the master's version left out. */
export function toOutput(instance: RemoteInstance) {
  const { raw: _raw, peer, tags, warnings: _warnings, changes: _changes, ...fields } = instance;
  const { nextRetry, origin, ...rest } = fields;
  return {
    ...rest,
    meta: { peer, tags },
    nextRetry: nextRetry ?? null,
    ...(origin !== undefined && { origin }),
  };
}
