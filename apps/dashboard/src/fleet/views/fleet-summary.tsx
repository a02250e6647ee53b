import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "../state/fleet.ts";

/** Which hub answers, and what it stands on. */
export function FleetSummary({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts().engine;
  const info = fleet.info.value;
  if (info === undefined) return null;
  const { hub, leader, engine } = info;
  return (
    <span class="dim fleet-summary">
      {engine.connected ? t.summary(hub, engine.version, engine.servers) : t.away}
      {leader === null ? `, ${t.noLeader}` : ""}
    </span>
  );
}
