import type { ComponentChildren } from "preact";
import type { Condition } from "../../state/status.ts";

/** A status in words, its colour beside it. */
export function Status({
  condition,
  children,
  note,
}: {
  readonly condition: Condition;
  readonly children: ComponentChildren;
  /** What else is to be said; empty for nothing. */
  readonly note?: string;
}) {
  return (
    <div class={`status ${condition}`}>
      <span class={`dot ${condition}`} aria-hidden="true" />
      <span class="two-lines">
        <span class="cut">{children}</span>
        {note === undefined || note === "" ? null : (
          <span class="reason cut" title={note}>
            {note}
          </span>
        )}
      </span>
    </div>
  );
}
