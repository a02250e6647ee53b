import { useState } from "preact/hooks";
import { CheckField } from "../../../parts/fields.tsx";
import { notify } from "../../../parts/notices.tsx";
import { memberId } from "../../../router.ts";
import { fleetTexts } from "../../i18n/index.ts";
import { FormDialog } from "../../parts/dialogs.tsx";
import { hrefOfPage } from "../../routes.ts";
import type { EditMasterProps } from "./edit-master.tsx";

/** Takes a master out of the fleet. */
export function RemoveMaster({ fleet, master: { mid, name } }: EditMasterProps) {
  const t = fleetTexts();
  const [stop, setStop] = useState(false);
  const submit = async (): Promise<void> => {
    // Its own pages ask what is about to go.
    if (memberId.peek() === mid) location.hash = hrefOfPage("masters");
    await fleet.client.removeMaster(mid, stop);
    notify(t.masters.removed(name));
  };
  return (
    <FormDialog
      title={t.masters.removeQuestion(name)}
      action={t.remove}
      isDangerous
      submit={submit}
    >
      <p>{t.masters.removeText}</p>
      <CheckField isChecked={stop} onCheck={setStop}>
        {t.masters.stop}
      </CheckField>
    </FormDialog>
  );
}
