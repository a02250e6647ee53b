import type { FleetRole } from "@nodepass/model/fleet";
import { Icon } from "../../parts/icon.tsx";
import type { Fleet } from "../state/fleet.ts";
import { whyNot } from "../state/permissions.ts";

/** Says why buttons of a page are grey, where they are: a phone shows no titles. */
export function RoleHint({ fleet, needed }: { readonly fleet: Fleet; readonly needed: FleetRole }) {
  const why = whyNot(fleet, needed);
  if (why === undefined) return null;
  return (
    <p class="hint role-hint">
      <Icon name="key" /> {why}
    </p>
  );
}
