import { useState } from "preact/hooks";
import { CheckField, ChoiceField } from "../../../parts/fields.tsx";
import { notify } from "../../../parts/notices.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { FormDialog } from "../../parts/dialogs.tsx";
import { ANYWHERE, PlaceFields } from "../../parts/place-fields.tsx";
import { nameOfService } from "../../state/happenings.ts";
import type { OneServiceProps } from "./service-menu.tsx";

/** Lets another master run a part. */
export function MoveService({ fleet, service }: OneServiceProps) {
  const t = fleetTexts().services;
  const { sid, parts, policy } = service;
  const [role, setRole] = useState(parts[0]?.role ?? "server");
  const [place, setPlace] = useState(ANYWHERE);
  const [force, setForce] = useState(false);
  const part = parts.find((each) => each.role === role);
  const isStrict = policy.failover === "strict";
  const submit = async (): Promise<void> => {
    const to = place.master === "" ? { selector: place.selector.trim() } : { to: place.master };
    const move = { part: role, force: force && !isStrict, ...to };
    fleet.putService(await fleet.client.moveService(sid, move));
    notify(t.moved(nameOfService(service)));
  };
  return (
    <FormDialog title={t.moveTitle(nameOfService(service))} action={t.moveAction} submit={submit}>
      <p>{t.moveText}</p>
      {parts.length < 2 ? null : (
        <ChoiceField
          label={t.part}
          value={role}
          choices={parts.map(({ role: each, owner }) => [
            each,
            `${t.partRoles[each]} ${t.at(fleet.nameOf(owner))}`,
          ])}
          onChoose={(value) => setRole(value === "client" ? "client" : "server")}
        />
      )}
      <PlaceFields
        fleet={fleet}
        label={t.to}
        place={place}
        onPlace={setPlace}
        except={part?.owner ?? null}
      />
      <CheckField isChecked={force && !isStrict} onCheck={setForce} isDisabled={isStrict}>
        {t.force}
      </CheckField>
      {isStrict ? <p class="hint">{t.forceStrict}</p> : null}
    </FormDialog>
  );
}
