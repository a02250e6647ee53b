import type { ComponentChildren } from "preact";
import { texts } from "../i18n/index.ts";
import { hrefOf, type Route } from "../router.ts";
import type { Master } from "../state/master.ts";

export interface ChangeLinkProps {
  readonly master: Master;
  readonly to: Route;
  readonly children: ComponentChildren;
  readonly class?: string;
}

/** A link to where something is changed, which looks like a button: none for a key that only reads. */
export function ChangeLink({ master, to, children, class: look = "button" }: ChangeLinkProps) {
  if (master.mayChange.value) {
    return (
      <a class={look} href={hrefOf(to)}>
        {children}
      </a>
    );
  }
  return (
    <button
      type="button"
      class={look.replace("button", "").trim()}
      disabled
      title={texts().readsOnly}
    >
      {children}
    </button>
  );
}
