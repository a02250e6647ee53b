import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

/** One thing that a menu offers. */
export interface MenuItem {
  readonly text: string;
  readonly icon: IconName;
  readonly isDangerous?: boolean;
  readonly isDisabled?: boolean;
  /** Why it may not be chosen, for people. */
  readonly why?: string | undefined;
  readonly onChoose: () => void;
}

export interface MenuButtonProps {
  /** What the button is called. */
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly children: ComponentChildren;
  readonly class?: string;
}

/** A button that opens a menu: arrows move, Escape and a click elsewhere close it. */
export function MenuButton({ label, items, children, class: look = "ghost" }: MenuButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        class={look}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {children}
      </button>
      {isOpen && button.current !== null ? (
        <Menu
          label={label}
          items={items}
          anchor={button.current}
          onClose={(goBack) => {
            setOpen(false);
            if (goBack) button.current?.focus();
          }}
        />
      ) : null}
    </>
  );
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly anchor: HTMLElement;
  readonly onClose: (goBack: boolean) => void;
}

function Menu({ label, items, anchor, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = menu;
    if (current === null) return;
    // In the top layer: no list that scrolls cuts it off.
    current.showPopover();
    const at = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = current;
    const below = at.bottom + 4 + height <= innerHeight;
    current.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    current.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
    current.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
  }, [anchor]);
  useEffect(() => {
    const leave = ({ target }: Event): void => {
      if (!(target instanceof Node)) return;
      if (menu.current?.contains(target) !== true && !anchor.contains(target)) onClose(false);
    };
    const scrolled = (): void => onClose(false);
    addEventListener("pointerdown", leave);
    addEventListener("scroll", scrolled, { capture: true, passive: true });
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("scroll", scrolled, { capture: true });
    };
  }, [anchor, onClose]);

  const move = (step: number | "first" | "last"): void => {
    const all = [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])].filter(
      (item) => !item.matches(":disabled"),
    );
    const now = all.findIndex((item) => item.matches(":focus"));
    const next =
      step === "first"
        ? 0
        : step === "last"
          ? all.length - 1
          : (now + step + all.length) % all.length;
    all[next]?.focus();
  };

  return (
    <div
      ref={menu}
      class="menu"
      role="menu"
      popover="manual"
      tabIndex={-1}
      aria-label={label}
      onKeyDown={(event) => {
        const steps = { ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last" } as const;
        if (event.key === "Escape" || event.key === "Tab") onClose(true);
        else if (event.key in steps) move(steps[event.key as keyof typeof steps]);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      {items.map(({ text, icon, isDangerous, isDisabled, why, onChoose }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          class={isDangerous ? "danger-text" : ""}
          disabled={isDisabled || why !== undefined}
          title={why}
          onClick={() => {
            onClose(true);
            onChoose();
          }}
        >
          <Icon name={icon} />
          {text}
        </button>
      ))}
    </div>
  );
}
