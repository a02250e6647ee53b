import { type FleetRole, hasRole } from "@nodepass/model/fleet";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "./fleet.ts";

/** Why a token may not do what takes a role; `undefined`: it may. */
export function whyNot({ info }: Pick<Fleet, "info">, needed: FleetRole): string | undefined {
  const role = info.value?.role;
  // Before the hub has said so it is not known; the hub refuses what may not be done.
  if (role === undefined || hasRole(role, needed)) return undefined;
  const t = fleetTexts();
  return t.mayNot(t.roles[role], t.roles[needed]);
}
