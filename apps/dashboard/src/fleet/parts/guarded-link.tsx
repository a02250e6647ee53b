import type { ComponentChildren } from "preact";
import { GuardedButton } from "../../parts/guarded-button.tsx";

/** A link that looks as a button, and is a grey one for who may not go there. */
export function GuardedLink({
  why,
  href,
  children,
}: {
  readonly why: string | undefined;
  readonly href: string;
  readonly children: ComponentChildren;
}) {
  return why === undefined ? (
    <a class="button primary" href={href}>
      {children}
    </a>
  ) : (
    <GuardedButton why={why} class="primary">
      {children}
    </GuardedButton>
  );
}
