import type { Service, ServicePart } from "@nodepass/model/fleet";
import { CONDITIONS, type Condition } from "../../state/status.ts";

/** How a part of a service is. */
export function conditionOfPart({ state, running }: ServicePart): Condition {
  if (state === "failed" || state === "unreachable") return "failing";
  if (state === "pending" || state === "released") return "waiting";
  return running ? "up" : "stopped";
}

/** How a service is: as its worst part. */
export function conditionOfService({ parts }: Service): Condition {
  const conditions = parts.map(conditionOfPart);
  return CONDITIONS.find((condition) => conditions.includes(condition)) ?? "stopped";
}
