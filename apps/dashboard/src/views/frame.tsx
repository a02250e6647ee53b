import type { ComponentChildren } from "preact";
import { texts } from "../i18n/index.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { goTo, hrefOf, type Route, route } from "../router.ts";
import type { Master } from "../state/master.ts";
import { chooseMaster, knownMasters, leave, masterName } from "../state/masters.ts";
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
        <MasterChoice master={master} />
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

/** Whose tunnels are shown, where there are several masters. */
function MasterChoice({ master }: { readonly master: Master }) {
  const t = texts();
  if (knownMasters.value.length < 2) return null;
  return (
    <label class="master-choice">
      <span class="sr">{t.masters.choose}</span>
      <select
        value={master.url}
        onChange={({ currentTarget }) => {
          chooseMaster(currentTarget.value);
          goTo({ name: "tunnels" });
        }}
      >
        {knownMasters.value.map((each) => (
          <option key={each.url} value={each.url}>
            {masterName(each)}
          </option>
        ))}
      </select>
    </label>
  );
}

function MasterName({ master }: { readonly master: Master }) {
  const t = texts();
  const state = master.state.value;
  return (
    <small class={`state-${state}`}>
      <span class="state-dot" aria-hidden="true" />
      <span class="cut">{masterName(master)}</span>
      <span class="sr">{t.connection.states[state]}</span>
    </small>
  );
}
