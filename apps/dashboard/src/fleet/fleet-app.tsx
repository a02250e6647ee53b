import { Questions } from "../parts/ask.tsx";
import type { IconName } from "../parts/icon.tsx";
import { Notices } from "../parts/notices.tsx";
import { signIn } from "../state/session.ts";
import { Gone } from "../views/connection.tsx";
import { Frame } from "../views/frame.tsx";
import { SignIn } from "../views/sign-in.tsx";
import { fleetTexts } from "./i18n/index.ts";
import { Dialogs } from "./parts/dialogs.tsx";
import { FLEET_PAGES, type FleetPage, fleetRoute, hrefOfPage, NEW_SERVICE } from "./routes.ts";
import type { Fleet } from "./state/fleet.ts";
import { ownFleet } from "./state/session.ts";
import { Alarms } from "./views/alarms.tsx";
import { AuditPage } from "./views/audit-page.tsx";
import { EventsPage } from "./views/events-page.tsx";
import { FleetPicturePage } from "./views/fleet-picture-page.tsx";
import { MastersPage } from "./views/masters/masters-page.tsx";
import { MemberPages } from "./views/masters/member-pages.tsx";
import { NewServicePage } from "./views/services/new-service-page.tsx";
import { ServicePage } from "./views/services/service-page.tsx";
import { ServicesPage } from "./views/services/services-page.tsx";
import { TokensPage } from "./views/tokens/tokens-page.tsx";

const icons: Readonly<Record<FleetPage, IconName>> = {
  masters: "server",
  services: "link",
  picture: "picture",
  events: "pulse",
  audit: "list",
  tokens: "key",
};

/** All of the dashboard of a fleet. */
export function FleetApp() {
  const fleet = ownFleet.value;
  const t = fleetTexts();
  return (
    <>
      {fleet === undefined ? <SignIn words={t.signIn} /> : <FleetFrame fleet={fleet} />}
      <Dialogs />
      <Questions />
      <Notices />
    </>
  );
}

function FleetFrame({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const here = fleetRoute.value.page;
  const name = fleet.info.value?.fleet ?? new URL(fleet.url).host;
  return (
    <Frame
      name={name}
      state={fleet.state.value}
      home={hrefOfPage("masters")}
      pages={FLEET_PAGES.map((page) => ({
        href: hrefOfPage(page),
        icon: icons[page],
        text: t.pages[page],
        isHere: page === here,
      }))}
    >
      <Gone followed={fleet} name={name} use={signIn} words={{ ...t.connection, ...t.signIn }} />
      <Alarms fleet={fleet} />
      <FleetView fleet={fleet} />
    </Frame>
  );
}

/** The page that the address names. */
function FleetView({ fleet }: { readonly fleet: Fleet }) {
  const route = fleetRoute.value;
  switch (route.page) {
    case "masters":
      return route.mid === undefined ? (
        <MastersPage fleet={fleet} />
      ) : (
        <MemberPages key={route.mid} fleet={fleet} mid={route.mid} />
      );
    case "services":
      if (route.sid === undefined) return <ServicesPage fleet={fleet} />;
      return route.sid === NEW_SERVICE ? (
        <NewServicePage fleet={fleet} />
      ) : (
        <ServicePage key={route.sid} fleet={fleet} sid={route.sid} />
      );
    case "picture":
      return <FleetPicturePage fleet={fleet} />;
    case "events":
      return <EventsPage fleet={fleet} />;
    case "audit":
      return <AuditPage fleet={fleet} />;
    case "tokens":
      return <TokensPage fleet={fleet} />;
  }
}
