import { Picture } from "../../views/picture/picture-page.tsx";
import type { Fleet } from "../state/fleet.ts";
import { placedInFleet, useFleetInstances } from "../state/instances.ts";

/** Who forwards what to where in the whole fleet; a service is a line, whoever runs its ends. */
export function FleetPicturePage({ fleet }: { readonly fleet: Fleet }) {
  const instances = useFleetInstances(fleet);
  return <Picture placed={placedInFleet(fleet, instances)} places={fleet.masters.value.size} />;
}
