import type { InstanceRecord } from "@nodepass/model";
import { instanceRecordSchema } from "@nodepass/model/schemas";
import { z } from "zod";

/** Schema version that this program writes. */
export const STATE_VERSION = 1;

/** Checks a whole state of the current version. */
export const masterStateSchema = z.object({
  version: z.literal(STATE_VERSION),
  masterId: z.string().regex(/^[0-9a-f]{16}$/),
  alias: z.string(),
  apiKey: z.string().min(1),
  readKey: z.string().min(1).optional(),
  instances: z.array(instanceRecordSchema).superRefine((instances, context) => {
    const seen = new Set<string>();
    for (const { id } of instances) {
      if (seen.has(id))
        context.addIssue({ code: "custom", message: `two instances have id ${id}` });
      seen.add(id);
    }
  }),
});

/** All that a master keeps. */
export interface MasterState {
  version: typeof STATE_VERSION;
  /** 16 hex digits. */
  masterId: string;
  alias: string;
  apiKey: string;
  /** The key that may only read, if there is one. */
  readKey?: string | undefined;
  instances: InstanceRecord[];
}
