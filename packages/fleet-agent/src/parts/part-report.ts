import { isDeepStrictEqual } from "node:util";
import type { PartReport } from "@nodepass/fleet-protocol";
import { type Instance, ServiceError } from "@nodepass/model";
import { DEFAULT_POLICY } from "@nodepass/model/fleet";
import type { PartEntry } from "../file/fleet-file.ts";
import { FleetAgentError } from "../fleet-agent-error.ts";

/** Longest reason that is told, bytes of UTF-8: a sync tells of 500 parts within `MAX_MEMBER_PAYLOAD_BYTES`. */
const MAX_REASON_BYTES = 1000;

/** What is told of a part, by its record and its instance here. */
export function reportOf(entry: PartEntry, instance: Instance | undefined): PartReport {
  const { sid, part, rev, epoch, reason, policy, proof } = entry;
  const isBad = reason !== "" || instance === undefined || instance.status === "error";
  const why = reason === "" ? (instance?.reason ?? "") || "it is not there" : reason;
  return {
    sid,
    part,
    rev,
    epoch,
    outcome: isBad ? "failed" : "applied",
    reason: isBad ? cut(why) : "",
    instance: instance?.id ?? null,
    running: instance !== undefined && instance.status !== "stopped",
    carried: null,
    ...(policy !== undefined && !isDeepStrictEqual(policy, DEFAULT_POLICY) && { policy }),
    ...(proof !== undefined && { proof }),
  };
}

/** As much as fits, no character in half. */
function cut(text: string): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MAX_REASON_BYTES));
  return text.slice(0, read);
}

/** Why a record could not be applied. */
export interface PartFailure {
  readonly message: string;
  /** No other try makes it better. */
  readonly isFinal: boolean;
  /** This machine could not, as with a full disk, whatever the record says. */
  readonly isOurs: boolean;
}

export function failureOf(error: unknown): PartFailure {
  if (error instanceof ServiceError) {
    const { code } = error;
    const isFinal = code === "INVALID_URL" || code === "INVALID" || code === "FORBIDDEN";
    const isOurs = code === "UNAVAILABLE";
    return { message: isOurs ? withCode(error.message, error) : error.message, isFinal, isOurs };
  }
  if (error instanceof FleetAgentError && error.code === "FILE_UNUSABLE") {
    // Without the path, which is this machine's business.
    const message = withCode("what runs here could not be saved", error);
    return { message, isFinal: false, isOurs: true };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, isFinal: false, isOurs: false };
}

/** With the system's code, as `ENOSPC`, if there is one behind an error. */
function withCode(text: string, error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && /^E[A-Z0-9]+$/.test(at.code)) {
      return `${text} (${at.code})`;
    }
  }
  return text;
}
