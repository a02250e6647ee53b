import type { RemoteInstance } from "@nodepass/master-client";

/**
 * What people want to know of an instance's status: `waiting` runs and has no peer yet, or not any
 * more.
 */
export type Condition = "up" | "waiting" | "failing" | "stopped";

/** The condition of an instance. */
export function conditionOf({ status, link }: RemoteInstance): Condition {
  if (status === "error") return "failing";
  if (status !== "running") return "stopped";
  return link === "down" ? "waiting" : "up";
}

/** In the order in which somebody should look at them. */
export const CONDITIONS = ["failing", "waiting", "up", "stopped"] as const;
