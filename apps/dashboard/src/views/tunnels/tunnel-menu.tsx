import type { RemoteInstance } from "@nodepass/master-client";
import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";
import { MenuButton, type MenuItem } from "../../parts/menu.tsx";
import { goTo } from "../../router.ts";
import { type Action, actOn, exportInstances, nameOf } from "../../state/actions.ts";
import { startDraft } from "../../state/draft.ts";
import type { Master } from "../../state/master.ts";
import { whyNotChange } from "../../state/why-not-change.ts";

export interface TunnelMenuProps {
  readonly master: Master;
  readonly instance: RemoteInstance;
}

/** What can be done with one instance. */
export function TunnelMenu({ master, instance }: TunnelMenuProps) {
  const t = texts();
  const why = whyNotChange(master);
  const act = (action: Action, icon: MenuItem["icon"], isDisabled = false): MenuItem => ({
    text: t.actions[action],
    icon,
    isDisabled,
    why,
    isDangerous: action === "delete",
    onChoose: () => void actOn(master, [instance], action),
  });
  const isStopped = instance.status === "stopped";
  const items: MenuItem[] = [
    act("start", "play", !isStopped),
    act("stop", "stop", isStopped),
    act("restart", "restart", isStopped),
    {
      text: t.actions.edit,
      icon: "edit",
      why,
      onChoose: () => goTo({ name: "edit", id: instance.id }),
    },
    {
      text: t.actions.duplicate,
      icon: "duplicate",
      why,
      onChoose: () => {
        startDraft(instance);
        goTo({ name: "new" });
      },
    },
    { text: t.actions.export, icon: "download", onChoose: () => exportInstances([instance]) },
    act("reset", "reset"),
    act("delete", "trash"),
  ];
  return (
    <MenuButton label={t.tunnels.menuOf(nameOf(instance))} items={items}>
      <Icon name="more" />
    </MenuButton>
  );
}
