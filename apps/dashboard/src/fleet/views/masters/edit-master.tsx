import type { FleetMaster, FleetMasterChange } from "@nodepass/model/fleet";
import { useState } from "preact/hooks";
import { readLabels, writeLabels } from "../../../format/labels.ts";
import { TextField } from "../../../parts/fields.tsx";
import { notify } from "../../../parts/notices.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { FormDialog } from "../../parts/dialogs.tsx";
import type { Fleet } from "../../state/fleet.ts";
import { whyNot } from "../../state/permissions.ts";

export interface EditMasterProps {
  readonly fleet: Fleet;
  readonly master: FleetMaster;
}

/** Name, address and labels of a master. */
export function EditMaster({ fleet, master }: EditMasterProps) {
  const t = fleetTexts();
  // An operator sets labels, and no more.
  const why = whyNot(fleet, "admin");
  const [name, setName] = useState(master.name);
  const [address, setAddress] = useState(master.address);
  const [labels, setLabels] = useState(writeLabels(master.labels));
  const submit = async (): Promise<void> => {
    const read = readLabels(labels);
    const change: FleetMasterChange = {
      ...(name.trim() !== master.name && { name: name.trim() }),
      ...(address.trim() !== master.address && { address: address.trim() }),
      ...(writeLabels(read) !== writeLabels(master.labels) && { labels: read }),
    };
    if (Object.keys(change).length === 0) return;
    // Whoever changed it since then is not overwritten: the hub says so.
    fleet.putMaster(await fleet.client.changeMaster(master.mid, change, master.revision));
    notify(t.saved);
  };
  return (
    <FormDialog title={t.masters.editTitle(master.name)} action={t.save} submit={submit}>
      <TextField
        label={t.masters.name}
        text={name}
        onText={setName}
        hint={why}
        isDisabled={why !== undefined}
        isRequired
      />
      <TextField
        label={t.masters.address}
        text={address}
        onText={setAddress}
        hint={why ?? t.masters.addressHint}
        isDisabled={why !== undefined}
        isMono
      />
      <TextField
        label={t.masters.labels}
        text={labels}
        onText={setLabels}
        placeholder="region=eu, fast"
      />
    </FormDialog>
  );
}
