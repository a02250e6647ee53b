import { useState } from "preact/hooks";
import { CheckField } from "../../../parts/fields.tsx";
import { notify } from "../../../parts/notices.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { FormDialog } from "../../parts/dialogs.tsx";
import { hrefOfPage } from "../../routes.ts";
import { nameOfService } from "../../state/happenings.ts";
import type { OneServiceProps } from "./service-menu.tsx";

/** Forgets a service; its tunnels are stopped, or left to their masters. */
export function DeleteService({ fleet, service }: OneServiceProps) {
  const t = fleetTexts().services;
  const name = nameOfService(service);
  const [keep, setKeep] = useState(false);
  const submit = async (): Promise<void> => {
    const { revision } = fleet.services.peek().get(service.sid) ?? service;
    await fleet.client.removeService(service.sid, keep, revision);
    fleet.forgetService(service.sid);
    notify(t.deleted(name));
    location.hash = hrefOfPage("services");
  };
  return (
    <FormDialog title={t.deleteQuestion(name)} action={t.delete} isDangerous submit={submit}>
      <p>{t.deleteText}</p>
      <CheckField isChecked={keep} onCheck={setKeep}>
        {t.keep}
      </CheckField>
    </FormDialog>
  );
}
