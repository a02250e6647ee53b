import { ServiceError } from "@nodepass/model";
import type { MemberFacts } from "./presence.ts";

/**
 * Why a member did not answer: whether it is gone, and since when, says more than that nothing came.
 *
 * @param called `master` and its name
 */
export function unavailable(called: string, facts: MemberFacts, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const isSlow = error instanceof Error && error.name === "TimeoutError";
  const { status, heardAtWall } = facts;
  const since =
    heardAtWall === undefined
      ? "and this hub has not heard of it since it began"
      : `since ${new Date(heardAtWall).toISOString()}, its last word`;
  const what =
    status === "lost" || status === "late"
      ? `is ${status} ${since}`
      : isSlow
        ? "did not answer in time"
        : `is not connected to the engine${heardAtWall === undefined ? "" : ` ${since}`}`;
  return new ServiceError("UNAVAILABLE", `${called} ${what}`, { cause: error });
}
