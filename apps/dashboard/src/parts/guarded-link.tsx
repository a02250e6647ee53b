import type { ComponentChildren } from "preact";
import { GuardedButton } from "./guarded-button.tsx";

export interface GuardedLinkProps {
  /** Why one may not go there, for people; `undefined`: one may. */
  readonly why: string | undefined;
  readonly href: string;
  /** Beside `button`, which it looks as. */
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A link that looks as a button; greyed out, with the reason, for who may do nothing there. */
export function GuardedLink({ why, href, class: look = "", children }: GuardedLinkProps) {
  return why === undefined ? (
    <a class={`button ${look}`} href={href}>
      {children}
    </a>
  ) : (
    <GuardedButton why={why} class={look}>
      {children}
    </GuardedButton>
  );
}
