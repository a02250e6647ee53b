import { createBoxKeys } from "../seal/box-keys.ts";
import type { FleetSecrets } from "./fleet-secrets.ts";

/** What a step of {@link rotateBoxKey} has done. */
export type BoxRotationStep = "announced" | "changed" | "ended";

/**
 * One step of three to another box key, after each of which all hubs are started anew, one after the
 * other: they and members understand each other in each mixture of two neighbouring steps.
 *
 * | step | hubs open by | members seal by |
 * | --- | --- | --- |
 * | `announced` | the present key, and the one that comes, of which they tell members | the present one |
 * | `changed` | both; the new one is the fleet's | the new one, as soon as they have heard of it |
 * | `ended` | the new one | the new one; who has not heard of it is a stranger |
 */
export function rotateBoxKey(secrets: FleetSecrets): {
  readonly secrets: FleetSecrets;
  readonly step: BoxRotationStep;
} {
  const { boxKeys, nextBoxKey } = secrets.reveal();
  if (nextBoxKey !== undefined) {
    const changed = { boxKeys: [nextBoxKey, ...boxKeys], nextBoxKey: undefined };
    return { secrets: secrets.with(changed), step: "changed" };
  }
  if (boxKeys.length > 1) {
    return { secrets: secrets.with({ boxKeys: boxKeys.slice(0, 1) }), step: "ended" };
  }
  const next = createBoxKeys().privateKey;
  return { secrets: secrets.with({ nextBoxKey: next }), step: "announced" };
}
