import { Icon } from "../../../parts/icon.tsx";
import { MenuButton, type MenuItem } from "../../../parts/menu.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { showDialog } from "../../parts/dialogs.tsx";
import { drainMaster, endDraining } from "../../state/master-actions.ts";
import { whyNot } from "../../state/permissions.ts";
import { EditMaster, type EditMasterProps } from "./edit-master.tsx";
import { RemoveMaster } from "./remove-master.tsx";

/** What can be done with a master. */
export function MasterMenu({ fleet, master }: EditMasterProps) {
  const t = fleetTexts();
  const items: MenuItem[] = [
    {
      text: t.masters.edit,
      icon: "edit",
      why: whyNot(fleet, "operator"),
      onChoose: () => showDialog(() => <EditMaster fleet={fleet} master={master} />),
    },
    master.draining
      ? {
          text: t.masters.undrain,
          icon: "play",
          why: whyNot(fleet, "operator"),
          onChoose: () => void endDraining(fleet, master),
        }
      : {
          text: t.masters.drain,
          icon: "leave",
          why: whyNot(fleet, "operator"),
          onChoose: () => void drainMaster(fleet, master),
        },
    {
      text: t.remove,
      icon: "trash",
      isDangerous: true,
      why: whyNot(fleet, "admin"),
      onChoose: () => showDialog(() => <RemoveMaster fleet={fleet} master={master} />),
    },
  ];
  return (
    <MenuButton label={t.menuOf(master.name)} items={items}>
      <Icon name="more" />
    </MenuButton>
  );
}
