import type { FleetMaster } from "@nodepass/model/fleet";
import { useEffect } from "preact/hooks";
import { writeLabels } from "../../../format/labels.ts";
import { formatBytes } from "../../../format/units.ts";
import { hrefOf } from "../../../router.ts";
import { CONDITIONS } from "../../../state/status.ts";
import { fleetTexts } from "../../i18n/index.ts";
import type { ListColumn } from "../../parts/list-table.tsx";
import { RoleHint } from "../../parts/role-hint.tsx";
import { SearchedList } from "../../parts/searched-list.tsx";
import { Status } from "../../parts/status.tsx";
import { TagList } from "../../parts/tag-list.tsx";
import type { Fleet } from "../../state/fleet.ts";
import { CONDITION_OF_MASTER, lastSeen, masterNotes } from "../../state/master-status.ts";
import { FleetSummary } from "../fleet-summary.tsx";
import { MasterMenu } from "./master-menu.tsx";

/** Heartbeats come each 5 s; events tell of changes of status only, ms. */
const REFRESH_MS = 5000;
/** Of many masters they are asked for less often: so long for each, ms. */
const EACH_MS = 10;

/** Every master of the fleet, as it is now. */
export function MastersPage({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const isLive = fleet.state.value === "live";
  useEffect(() => {
    if (!isLive) return undefined;
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const later = (): void => {
      timer = setTimeout(refresh, Math.max(REFRESH_MS, fleet.masters.peek().size * EACH_MS));
    };
    const refresh = (): void => {
      // Where it can't be asked, the stream says so as well.
      const asked = document.hidden ? Promise.resolve() : fleet.refreshMasters();
      void asked
        .catch(() => undefined)
        .finally(() => {
          if (!isGone) later();
        });
    };
    later();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [fleet, isLive]);

  const all = [...fleet.masters.value.values()];
  const online = all.filter(({ status }) => status === "online").length;
  return (
    <section aria-labelledby="masters-title">
      <div class="page-head">
        <h1 id="masters-title">{t.pages.masters}</h1>
        <span class="dim">{t.masters.counts(online, all.length)}</span>
        <div class="spring" />
        <FleetSummary fleet={fleet} />
      </div>
      <RoleHint fleet={fleet} needed="operator" />
      <SearchedList
        fleet={fleet}
        words={t.masters}
        textOf={searchText}
        label={t.pages.masters}
        columns={columns()}
        items={all}
        keyOf={({ mid }) => mid}
        menu={(master) => <MasterMenu fleet={fleet} master={master} />}
      />
    </section>
  );
}

function searchText({ name, mid, labels, version, status, address }: FleetMaster): string {
  const said = fleetTexts().masters.statuses[status];
  return [name, mid, writeLabels(labels), version, status, said, address].join("\n");
}

function columns(): ListColumn<FleetMaster>[] {
  const { columns: titles, statuses, instances } = fleetTexts().masters;
  return [
    {
      name: "name",
      title: titles.name,
      width: "minmax(130px, 1.4fr)",
      sortBy: ({ name }) => name,
      cell: ({ mid, name }) => (
        <>
          <a class="row-link cut" href={hrefOf({ name: "tunnels" }, mid)}>
            {name}
          </a>
          <span class="row-tags mono cut">{mid}</span>
        </>
      ),
    },
    {
      name: "status",
      title: titles.status,
      width: "minmax(110px, 0.9fr)",
      sortBy: ({ status }) => CONDITIONS.indexOf(CONDITION_OF_MASTER[status]),
      cell: (master) => (
        <Status condition={CONDITION_OF_MASTER[master.status]} note={masterNotes(master)}>
          {statuses[master.status]}
        </Status>
      ),
    },
    {
      name: "instances",
      title: titles.instances,
      width: "minmax(110px, 0.9fr)",
      sortBy: ({ instances: { running, stopped, error } }) => running + stopped + error,
      cell: ({ instances: { running, stopped, error } }) => (
        <span class="cut">{instances(running, stopped, error)}</span>
      ),
    },
    {
      name: "labels",
      title: titles.labels,
      width: "minmax(100px, 1.2fr)",
      sortBy: ({ labels }) => writeLabels(labels),
      cell: ({ labels }) => <TagList labels={labels} />,
    },
    {
      name: "traffic",
      title: titles.traffic,
      width: "92px",
      sortBy: ({ traffic }) => received(traffic) + sent(traffic),
      cell: ({ traffic }) => (
        <span class="two-lines">
          <span class="rate">{formatBytes(received(traffic))}</span>
          <span class="rate up">{formatBytes(sent(traffic))}</span>
        </span>
      ),
    },
    {
      name: "version",
      title: titles.version,
      width: "minmax(64px, 0.5fr)",
      isExtra: true,
      sortBy: ({ version }) => version,
      cell: ({ version }) => <span class="cut">{version || "–"}</span>,
    },
    {
      name: "seen",
      title: titles.seen,
      width: "minmax(96px, 0.7fr)",
      isExtra: true,
      sortBy: ({ lastSeen: time }) => time ?? "",
      cell: (master) => <span class="cut">{lastSeen(master)}</span>,
    },
  ];
}

const received = ({ tcprx, udprx }: FleetMaster["traffic"]): number => tcprx + udprx;
const sent = ({ tcptx, udptx }: FleetMaster["traffic"]): number => tcptx + udptx;
