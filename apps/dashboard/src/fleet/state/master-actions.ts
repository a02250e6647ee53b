import type { FleetMaster } from "@nodepass/model/fleet";
import { ask } from "../../parts/ask.tsx";
import { notify, notifyFailure } from "../../parts/notices.tsx";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "./fleet.ts";
import { nameOfService } from "./happenings.ts";

/** Moves away what may move, after a question; says what could not, and why. */
export async function drainMaster(fleet: Fleet, { mid, name }: FleetMaster): Promise<void> {
  const t = fleetTexts().masters;
  const question = { title: t.drainQuestion(name), text: t.drainText, action: t.drain };
  if (!(await ask(question))) return;
  try {
    const { moved, left } = await fleet.client.drainMaster(mid);
    notify(t.drained(moved.length));
    for (const { sid, reason } of left.slice(0, 3)) {
      const service = fleet.services.peek().get(sid);
      notify(`${service === undefined ? sid : nameOfService(service)}: ${reason}`, "failed");
    }
    await fleet.refreshMasters();
  } catch (error) {
    notifyFailure(error);
  }
}

/** Lets a master be given services again. */
export async function endDraining(fleet: Fleet, { mid }: FleetMaster): Promise<void> {
  try {
    fleet.putMaster(await fleet.client.changeMaster(mid, { draining: false }));
    notify(fleetTexts().masters.undrained);
  } catch (error) {
    notifyFailure(error);
  }
}
