import { ChoiceField, TextField } from "../../parts/fields.tsx";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "../state/fleet.ts";
import { CONDITION_OF_MASTER } from "../state/master-status.ts";

/** Where something shall run: at a master, or at one with such labels. */
export interface Placement {
  /** Its mid; empty: by labels. */
  readonly master: string;
  readonly selector: string;
  /** Label whose values it is spread over; empty: none. */
  readonly spread: string;
}

export const ANYWHERE: Placement = { master: "", selector: "", spread: "" };

/** As the hub is asked for it. */
export function askedPlace({ master, selector, spread }: Placement) {
  if (master !== "") return { master };
  return { selector: selector.trim(), ...(spread.trim() !== "" && { spread: spread.trim() }) };
}

export interface PlaceFieldsProps {
  readonly fleet: Fleet;
  readonly label: string;
  readonly place: Placement;
  readonly onPlace: (place: Placement) => void;
  /** Whether spreading is offered. @default false */
  readonly canSpread?: boolean;
  /** The master that has it now: no choice. */
  readonly except?: string | null;
}

/** Masters by name, or by their labels. */
export function PlaceFields(props: PlaceFieldsProps) {
  const { fleet, label, place, onPlace, canSpread = false, except } = props;
  const t = fleetTexts();
  const masters = [...fleet.masters.value.values()]
    .filter(({ mid }) => mid !== except)
    .sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  return (
    <>
      <ChoiceField
        label={label}
        value={place.master}
        choices={[
          ["", t.form.byLabels],
          ...masters.map(({ mid, name, status }): [string, string] => [
            mid,
            CONDITION_OF_MASTER[status] === "up" ? name : `${name} (${t.masters.statuses[status]})`,
          ]),
        ]}
        onChoose={(master) => onPlace({ ...place, master })}
      />
      {place.master === "" ? (
        <TextField
          label={t.form.selector}
          text={place.selector}
          onText={(selector) => onPlace({ ...place, selector })}
          hint={t.form.selectorHint}
          isMono
        />
      ) : null}
      {place.master === "" && canSpread ? (
        <TextField
          label={t.form.spread}
          text={place.spread}
          onText={(spread) => onPlace({ ...place, spread })}
          isMono
        />
      ) : null}
    </>
  );
}
