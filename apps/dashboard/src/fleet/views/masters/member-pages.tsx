import { useEffect } from "preact/hooks";
import { texts } from "../../../i18n/index.ts";
import { Icon } from "../../../parts/icon.tsx";
import { followMaster } from "../../../state/master.ts";
import { openedMember } from "../../../state/masters.ts";
import { selected } from "../../../state/tunnel-list.ts";
import { Gone } from "../../../views/connection.tsx";
import { masterPages } from "../../../views/master-frame.tsx";
import { MasterView } from "../../../views/master-view.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { Status } from "../../parts/status.tsx";
import { hrefOfPage } from "../../routes.ts";
import type { Fleet } from "../../state/fleet.ts";
import { CONDITION_OF_MASTER, masterNotes } from "../../state/master-status.ts";
import { whyNot } from "../../state/permissions.ts";
import { MasterMenu } from "./master-menu.tsx";

/** The pages of one master of the fleet: its own dashboard's, asked through the hub. */
export function MemberPages({ fleet, mid }: { readonly fleet: Fleet; readonly mid: string }) {
  const t = fleetTexts();
  useEffect(() => {
    const url = `${fleet.url}/masters/${encodeURIComponent(mid)}/api`;
    // The hub lets a token do what its role may, and the master what it accepts from its hub.
    const member = followMaster(url, fleet.key(), async () => {
      const accepts = fleet.masters.peek().get(mid)?.allow.includes("api") ?? true;
      return accepts && whyNot(fleet, "operator") === undefined ? "full" : "read";
    });
    openedMember.value = member;
    selected.value = new Set();
    return () => {
      openedMember.value = undefined;
      member.close();
    };
  }, [fleet, mid]);

  const master = fleet.masters.value.get(mid);
  const member = openedMember.value;
  return (
    <>
      <div class="member-bar">
        <a class="ghost button" href={hrefOfPage("masters")} aria-label={t.masters.back}>
          <Icon name="back" />
        </a>
        <strong class="cut">{master?.name ?? mid}</strong>
        {master === undefined ? null : (
          <Status condition={CONDITION_OF_MASTER[master.status]} note={masterNotes(master)}>
            {t.masters.statuses[master.status]}
          </Status>
        )}
        <nav aria-label={master?.name ?? mid}>
          {masterPages().map(({ href, icon, text, isHere }) => (
            <a key={href} href={href} aria-current={isHere ? "page" : undefined}>
              <Icon name={icon} /> {text}
            </a>
          ))}
        </nav>
        {master === undefined ? null : <MasterMenu fleet={fleet} master={master} />}
      </div>
      {master === undefined && fleet.isLoaded.value ? (
        <p class="empty">{t.masters.gone}</p>
      ) : member === undefined ? (
        <p class="empty">{texts().loading}</p>
      ) : (
        <>
          {member.state.value === "away" ? (
            <Gone followed={member} name={master?.name ?? mid} use={async () => undefined} />
          ) : null}
          <MasterView key={member.url} master={member} />
        </>
      )}
    </>
  );
}
