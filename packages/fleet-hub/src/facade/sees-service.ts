import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { maySee } from "../access/scope.ts";
import type { Caller } from "../fleet.ts";
import type { FleetIndex } from "../store/fleet-index.ts";

const mastersOf = ({ parts }: ServiceRecord) =>
  parts.flatMap(({ owner, from, to }) => [owner, from, to].filter((mid) => mid !== null));

/** Whether a caller may see a service: one of the masters that it is about, or all of them. */
export function seesService(
  caller: Caller,
  service: ServiceRecord,
  index: Pick<FleetIndex, "members">,
): boolean {
  if (caller.selector.length === 0) return true;
  return mastersOf(service).some((mid) => maySee(caller, index.members.get(mid)?.value.labels));
}

/** Whether a caller may touch a service: all of the masters that it is about are theirs. */
export function ownsService(
  caller: Caller,
  service: ServiceRecord,
  index: Pick<FleetIndex, "members">,
): boolean {
  if (caller.selector.length === 0) return true;
  return mastersOf(service).every((mid) => maySee(caller, index.members.get(mid)?.value.labels));
}
