import type { MemberRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { isSelected, type Selector } from "@nodepass/model/fleet";
import type { FleetIndex } from "../store/fleet-index.ts";

/**
 * A member by its mid or, if only one has it, its name; those that the selector leaves out do not exist.
 *
 * @throws {ServiceError} `NOT_FOUND`: none, or which of them is not clear
 */
export function demandMember(
  index: Pick<FleetIndex, "findMembers">,
  midOrName: string,
  visible: Selector,
): { readonly mid: string; readonly record: MemberRecord } {
  const found = index
    .findMembers(midOrName)
    .filter(({ record }) => isSelected(record.labels, visible));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const name = JSON.stringify(midOrName.slice(0, 80));
  if (only === undefined) throw new ServiceError("NOT_FOUND", `no master ${name}`);
  const mids = found.slice(0, 5).map(({ mid }) => mid);
  const more = found.length > mids.length ? " …" : "";
  const text = `${name} may be ${found.length} masters: ${mids.join(", ")}${more}`;
  throw new ServiceError("NOT_FOUND", text);
}
