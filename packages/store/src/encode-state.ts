import type { z } from "zod";
import { type MasterState, masterStateSchema, STATE_VERSION } from "./master-state.ts";
import { encodeEnvelope, pack } from "./state-envelope.ts";
import { StoreError } from "./store-error.ts";

/** Paths and reasons of a failed check, values left out: they may be keys or URLs with passwords. */
export function describeIssues(error: z.ZodError): string {
  const shown = error.issues.slice(0, 3).map((issue) => {
    const path = issue.path.map(String).join(".") || "state";
    return issue.code === "custom" ? issue.message : `${path} (${issue.code})`;
  });
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/**
 * Makes the bytes of a state file. Fields that the schema does not know are left out.
 *
 * @throws {StoreError} `INVALID_STATE` if a later start would refuse it
 */
export function encodeState(state: MasterState): Uint8Array {
  const parsed = masterStateSchema.safeParse(state);
  if (!parsed.success) {
    throw new StoreError(
      "INVALID_STATE",
      `state cannot be saved: ${describeIssues(parsed.error)}`,
      {
        cause: parsed.error,
      },
    );
  }
  return encodeEnvelope({ version: STATE_VERSION, body: pack(toMaps(parsed.data)) });
}

function toMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toMaps);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return new Map(entries.map(([key, item]) => [key, toMaps(item)]));
}
