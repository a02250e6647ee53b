import type { ComponentChildren } from "preact";

export interface GuardedButtonProps {
  /** Why it may not be pressed, for people; `undefined`: it may. */
  readonly why: string | undefined;
  /** Not now, which needs no reason. @default false */
  readonly isDisabled?: boolean | undefined;
  readonly class?: string | undefined;
  /** What it is called where it shows an icon only. */
  readonly label?: string | undefined;
  /** @default "button" */
  readonly type?: "button" | "submit" | undefined;
  readonly onClick?: (() => void) | undefined;
  readonly children: ComponentChildren;
}

/** A button that is greyed out, with the reason, for who may not use it. */
export function GuardedButton(props: GuardedButtonProps) {
  const { why, isDisabled = false, type = "button", label, onClick, children } = props;
  return (
    <button
      type={type}
      class={props.class}
      aria-label={label}
      title={why ?? label}
      disabled={isDisabled || why !== undefined}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
