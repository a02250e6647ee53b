import { texts } from "../../i18n/index.ts";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon, type IconName } from "../../parts/icon.tsx";
import { type Action, actOn, exportInstances } from "../../state/actions.ts";
import type { Master } from "../../state/master.ts";
import { selected } from "../../state/tunnel-list.ts";
import { whyNotChange } from "../../state/why-not-change.ts";

const actions: readonly (readonly [Action, IconName])[] = [
  ["start", "play"],
  ["stop", "stop"],
  ["restart", "restart"],
  ["reset", "reset"],
  ["delete", "trash"],
];

/** What can be done with all that are selected. */
export function BulkBar({ master }: { readonly master: Master }) {
  const t = texts();
  const chosen = [...selected.value]
    .map((id) => master.rows.get(id)?.instance)
    .filter((instance) => instance !== undefined);
  if (chosen.length === 0) return null;
  return (
    <div class="bulk" role="toolbar" aria-label={t.tunnels.withSelected}>
      <strong>{t.tunnels.selected(chosen.length)}</strong>
      {actions.map(([action, icon]) => (
        <GuardedButton
          key={action}
          why={whyNotChange(master)}
          class={action === "delete" ? "danger-text" : undefined}
          onClick={() => void actOn(master, chosen, action)}
        >
          <Icon name={icon} /> <span>{t.actions[action]}</span>
        </GuardedButton>
      ))}
      <button type="button" onClick={() => exportInstances(chosen)}>
        <Icon name="download" /> <span>{t.actions.export}</span>
      </button>
      <button
        type="button"
        class="ghost"
        aria-label={t.tunnels.selectNone}
        onClick={() => {
          selected.value = new Set();
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
