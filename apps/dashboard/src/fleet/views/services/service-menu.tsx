import type { Service } from "@nodepass/model/fleet";
import { Icon } from "../../../parts/icon.tsx";
import { MenuButton, type MenuItem } from "../../../parts/menu.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { showDialog } from "../../parts/dialogs.tsx";
import type { Fleet } from "../../state/fleet.ts";
import { nameOfService } from "../../state/happenings.ts";
import { whyNot } from "../../state/permissions.ts";
import { isWanted, setRunning } from "../../state/service-actions.ts";
import { DeleteService } from "./delete-service.tsx";
import { EditService } from "./edit-service.tsx";
import { MoveService } from "./move-service.tsx";

export interface OneServiceProps {
  readonly fleet: Fleet;
  readonly service: Service;
}

/** What can be done with a service. */
export function serviceActions({ fleet, service }: OneServiceProps): readonly MenuItem[] {
  const t = fleetTexts().services;
  const why = whyNot(fleet, "operator");
  const runs = isWanted(service);
  return [
    {
      text: runs ? t.stop : t.start,
      icon: runs ? "stop" : "play",
      why,
      onChoose: () => void setRunning(fleet, service, !runs),
    },
    {
      text: t.move,
      icon: "leave",
      why,
      onChoose: () => showDialog(() => <MoveService fleet={fleet} service={service} />),
    },
    {
      text: t.edit,
      icon: "edit",
      why,
      onChoose: () => showDialog(() => <EditService fleet={fleet} service={service} />),
    },
    {
      text: t.delete,
      icon: "trash",
      isDangerous: true,
      why,
      onChoose: () => showDialog(() => <DeleteService fleet={fleet} service={service} />),
    },
  ];
}

/** The same, in a menu. */
export function ServiceMenu(props: OneServiceProps) {
  return (
    <MenuButton
      label={fleetTexts().menuOf(nameOfService(props.service))}
      items={serviceActions(props)}
    >
      <Icon name="more" />
    </MenuButton>
  );
}
