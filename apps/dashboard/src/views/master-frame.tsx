import type { ComponentChildren } from "preact";
import { texts } from "../i18n/index.ts";
import type { IconName } from "../parts/icon.tsx";
import { goTo, hrefOf, type Route, route } from "../router.ts";
import type { Master } from "../state/master.ts";
import { chooseMaster, knownMasters, masterName } from "../state/masters.ts";
import { Frame, type PageLink } from "./frame.tsx";

const pages = [
  { name: "tunnels", icon: "list" },
  { name: "picture", icon: "picture" },
  { name: "master", icon: "server" },
] as const satisfies readonly { readonly name: Route["name"]; readonly icon: IconName }[];

/** The pages of a master, as links. */
export function masterPages(): readonly PageLink[] {
  const t = texts();
  const { name: now } = route.value;
  const here = now === "picture" || now === "master" ? now : "tunnels";
  return pages.map(({ name, icon }) => ({
    href: hrefOf({ name }),
    icon,
    text: t.pages[name],
    isHere: here === name,
  }));
}

/** What is around every page of a master. */
export function MasterFrame({
  master,
  children,
}: {
  readonly master: Master;
  readonly children: ComponentChildren;
}) {
  return (
    <Frame
      name={masterName(master)}
      state={master.state.value}
      home={hrefOf({ name: "tunnels" })}
      pages={masterPages()}
      choice={<MasterChoice master={master} />}
    >
      {children}
    </Frame>
  );
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
