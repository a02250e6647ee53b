import type { RemoteInstance } from "@nodepass/master-client";
import { texts } from "../../i18n/index.ts";
import { conditionOf } from "../../state/status.ts";

/** How an instance is, and why if it fails. */
export function StatusText({ instance }: { readonly instance: RemoteInstance }) {
  const t = texts();
  const condition = conditionOf(instance);
  const { reason } = instance;
  return (
    <span class={`status ${condition}`} title={reason}>
      <span class={`dot ${condition}`} aria-hidden="true" />
      <span class="two-lines">
        <span class="cut">{t.conditions[condition]}</span>
        {reason === "" ? null : <span class="reason cut">{reason}</span>}
      </span>
    </span>
  );
}
