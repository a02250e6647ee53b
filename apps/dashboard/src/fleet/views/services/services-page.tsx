import type { Service } from "@nodepass/model/fleet";
import { writeLabels } from "../../../format/labels.ts";
import { formatAgo } from "../../../format/time.ts";
import { texts } from "../../../i18n/index.ts";
import { GuardedLink } from "../../../parts/guarded-link.tsx";
import { Icon } from "../../../parts/icon.tsx";
import { CONDITIONS } from "../../../state/status.ts";
import { fleetTexts } from "../../i18n/index.ts";
import type { ListColumn } from "../../parts/list-table.tsx";
import { RoleHint } from "../../parts/role-hint.tsx";
import { SearchedList } from "../../parts/searched-list.tsx";
import { Status } from "../../parts/status.tsx";
import { NEW_SERVICE } from "../../routes.ts";
import type { Fleet } from "../../state/fleet.ts";
import { nameOfService, serviceHref } from "../../state/happenings.ts";
import { conditionOfService } from "../../state/parts.ts";
import { whyNot } from "../../state/permissions.ts";
import { reasonsOf } from "../../state/service-actions.ts";
import { ServiceMenu } from "./service-menu.tsx";

/** Every service of the fleet, wherever it runs. */
export function ServicesPage({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const all = [...fleet.services.value.values()];
  return (
    <section aria-labelledby="services-title">
      <div class="page-head">
        <h1 id="services-title">{t.pages.services}</h1>
        <span class="dim">{t.services.count(all.length)}</span>
        <div class="spring" />
        <GuardedLink
          why={whyNot(fleet, "operator")}
          href={serviceHref(NEW_SERVICE)}
          class="primary"
        >
          <Icon name="plus" /> {t.services.add}
        </GuardedLink>
      </div>
      <RoleHint fleet={fleet} needed="operator" />
      <SearchedList
        fleet={fleet}
        words={t.services}
        textOf={(service) => searchText(fleet, service)}
        label={t.pages.services}
        columns={columns(fleet)}
        items={all}
        keyOf={({ sid }) => sid}
        menu={(service) => <ServiceMenu fleet={fleet} service={service} />}
      />
    </section>
  );
}

function searchText(fleet: Fleet, service: Service): string {
  const { sid, alias, tags, parts, policy } = service;
  const ways = parts.flatMap(({ role, owner, url, state, reason }) => [
    role,
    fleet.nameOf(owner),
    // Not the key: it is no name of anything.
    url.replace(/\/\/[^/?]*@/, "//"),
    state,
    reason,
  ]);
  const condition = texts().conditions[conditionOfService(service)];
  return [sid, alias, writeLabels(tags), policy.failover, condition, ...ways].join("\n");
}

/** Who runs it: `server at edge, client at office`. */
function partsText(fleet: Fleet, { parts }: Service): string {
  const t = fleetTexts().services;
  return parts
    .map(({ role, owner }) => {
      const master = owner === null ? t.nobody : fleet.nameOf(owner);
      return `${t.partRoles[role]} ${t.at(master)}`;
    })
    .join(", ");
}

function columns(fleet: Fleet): ListColumn<Service>[] {
  const t = fleetTexts();
  const { columns: titles } = t.services;
  return [
    {
      name: "name",
      title: titles.name,
      width: "minmax(130px, 1fr)",
      sortBy: nameOfService,
      cell: (service) => (
        <>
          <a class="row-link cut" href={serviceHref(service.sid)}>
            {nameOfService(service)}
          </a>
          <span class="row-tags cut">{writeLabels(service.tags)}</span>
        </>
      ),
    },
    {
      name: "status",
      title: titles.status,
      width: "minmax(120px, 0.9fr)",
      sortBy: (service) => CONDITIONS.indexOf(conditionOfService(service)),
      cell: (service) => <ServiceStatus service={service} />,
    },
    {
      name: "way",
      title: titles.way,
      width: "minmax(160px, 1.6fr)",
      sortBy: (service) => partsText(fleet, service),
      cell: (service) => (
        <span class="cut" title={partsText(fleet, service)}>
          {partsText(fleet, service)}
        </span>
      ),
    },
    {
      name: "failover",
      title: titles.failover,
      width: "minmax(80px, 0.5fr)",
      sortBy: ({ policy }) => policy.failover,
      cell: ({ policy }) => <span>{t.short[policy.failover]}</span>,
    },
    {
      name: "changed",
      title: titles.changed,
      width: "minmax(96px, 0.6fr)",
      isExtra: true,
      sortBy: ({ changed }) => changed,
      cell: ({ changed }) => <span class="cut">{formatAgo(new Date(changed))}</span>,
    },
  ];
}

/** How a service is, with why it is not as it shall be. */
export function ServiceStatus({ service }: { readonly service: Service }) {
  const condition = conditionOfService(service);
  const words = condition === "waiting" ? fleetTexts().services.states.pending : undefined;
  return (
    <Status condition={condition} note={reasonsOf(service)}>
      {words ?? texts().conditions[condition]}
    </Status>
  );
}
