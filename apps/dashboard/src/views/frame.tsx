import type { ComponentChildren } from "preact";
import { texts } from "../i18n/index.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { hrefOf, type Route, route } from "../router.ts";
import type { Master } from "../state/master.ts";
import { signOut } from "../state/session.ts";
import { LookSettings } from "./look-settings.tsx";
import { Logo } from "./sign-in.tsx";

const pages = [
  { name: "tunnels", icon: "list" },
  { name: "picture", icon: "picture" },
  { name: "master", icon: "server" },
] as const satisfies readonly { readonly name: Route["name"]; readonly icon: IconName }[];

/** Which of the pages a route belongs to. */
function pageOf({ name }: Route): (typeof pages)[number]["name"] {
  return name === "picture" || name === "master" ? name : "tunnels";
}

/** What is around every page: where one is, and how to get to the others. */
export function Frame({
  master,
  children,
}: {
  readonly master: Master;
  readonly children: ComponentChildren;
}) {
  const t = texts();
  const here = pageOf(route.value);
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={skip}>
        {t.skip}
      </button>
      <header class="side">
        <a class="brand" href={hrefOf({ name: "tunnels" })}>
          <Logo />
          <span>
            NodePass
            <MasterName master={master} />
          </span>
        </a>
        <nav aria-label={t.pages.label}>
          {pages.map(({ name, icon }) => (
            <a key={name} href={hrefOf({ name })} aria-current={here === name ? "page" : undefined}>
              <Icon name={icon} size={18} />
              <span>{t.pages[name]}</span>
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
            onClick={signOut}
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

function MasterName({ master }: { readonly master: Master }) {
  const t = texts();
  const { alias, name } = master.facts.value;
  const state = master.state.value;
  return (
    <small class={`state-${state}`}>
      <span class="state-dot" aria-hidden="true" />
      <span class="cut">
        {[alias, name].find((each) => typeof each === "string" && each !== "") ?? ""}
      </span>
      <span class="sr">{t.connection.states[state]}</span>
    </small>
  );
}
