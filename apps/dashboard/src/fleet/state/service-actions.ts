import type { Service } from "@nodepass/model/fleet";
import { notify, notifyFailure } from "../../parts/notices.tsx";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "./fleet.ts";
import { nameOfService } from "./happenings.ts";

/** Whether any part of a service shall run. */
export function isWanted({ parts }: Service): boolean {
  return parts.some(({ running }) => running);
}

/** Starts or stops all parts of a service. */
export async function setRunning(fleet: Fleet, service: Service, running: boolean): Promise<void> {
  const t = fleetTexts().services;
  const parts = service.parts.map(({ role }) => ({ role, running }));
  try {
    fleet.putService(await fleet.client.changeService(service.sid, { parts }, service.revision));
    const name = nameOfService(service);
    notify(running ? t.started(name) : t.stoppedNow(name));
  } catch (error) {
    notifyFailure(error);
  }
}

/** What is not yet as it shall be, in words; empty: all is. */
export function reasonsOf({ parts }: Service): string {
  const t = fleetTexts().services;
  return parts
    .filter(({ state }) => state !== "applied")
    .map(({ role, state, reason }) => `${t.partRoles[role]}: ${reason || t.states[state]}`)
    .join("; ");
}
