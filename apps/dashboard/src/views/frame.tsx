import type { ComponentChildren } from "preact";
import { texts } from "../i18n/index.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import type { FollowState } from "../state/keep-following.ts";
import { leave } from "../state/masters.ts";
import { LookSettings } from "./look-settings.tsx";
import { Logo } from "./sign-in.tsx";

/** One of the pages that are always a click away. */
export interface PageLink {
  readonly href: string;
  readonly icon: IconName;
  readonly text: string;
  readonly isHere: boolean;
}

export interface FrameProps {
  /** What people call what is shown. */
  readonly name: string;
  readonly state: FollowState;
  readonly home: string;
  readonly pages: readonly PageLink[];
  /** Between name and pages. */
  readonly choice?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** What is around every page: where one is, and how to get to the others. */
export function Frame({ name, state, home, pages, choice, children }: FrameProps) {
  const t = texts();
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={skip}>
        {t.skip}
      </button>
      <header class="side">
        <a class="brand" href={home}>
          <Logo />
          <span>
            NodePass
            <small class={`state-${state}`}>
              <span class="state-dot" aria-hidden="true" />
              <span class="cut">{name}</span>
              <span class="sr">{t.connection.states[state]}</span>
            </small>
          </span>
        </a>
        {choice}
        <nav aria-label={t.pages.label}>
          {pages.map(({ href, icon, text, isHere }) => (
            <a key={href} href={href} aria-current={isHere ? "page" : undefined}>
              <Icon name={icon} size={18} />
              <span>{text}</span>
            </a>
          ))}
        </nav>
        <div class="side-foot">
          <LookSettings />
          <button
            type="button"
            class="ghost"
            aria-label={t.signOut}
            title={t.signOut}
            onClick={leave}
          >
            <Icon name="leave" />
          </button>
        </div>
      </header>
      <main id="main" class="main scroller" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

/** A link would need the fragment, which is the route's. */
function skip(): void {
  document.querySelector<HTMLElement>("#main")?.focus();
}
