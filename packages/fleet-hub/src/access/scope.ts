import { ServiceError } from "@nodepass/model";
import { type FleetRole, hasRole, isSelected, type Selector } from "@nodepass/model/fleet";
import type { Caller } from "../fleet.ts";

/** @throws {ServiceError} `FORBIDDEN` */
export function demandRole(caller: Caller, role: FleetRole): void {
  if (hasRole(caller.role, role)) return;
  throw new ServiceError(
    "FORBIDDEN",
    `a token with role ${caller.role} may not; needed is ${role}`,
  );
}

/** Whether a caller may see masters with these labels. */
export function maySee(
  caller: Caller,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (caller.selector.length === 0) return true;
  return labels !== undefined && isSelected(labels, caller.selector);
}

/** Whether all that a selector leaves in is in another one, too: it has all of its conditions. */
export function isWithin(selector: Selector, scope: Selector): boolean {
  return scope.every((term) =>
    selector.some(
      ({ name, is, value }) => name === term.name && is === term.is && value === term.value,
    ),
  );
}

/** What is said of an alarm: to who sees not all masters only that it is raised, as it may name others. */
export function alarmText(caller: Caller, message: string): string {
  return caller.selector.length === 0 ? message : "";
}
