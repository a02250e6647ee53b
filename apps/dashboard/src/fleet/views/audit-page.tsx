import { type AuditEntry, FLEET_ROLES } from "@nodepass/model/fleet";
import { useEffect, useState } from "preact/hooks";
import { formatMoment } from "../../format/time.ts";
import { texts } from "../../i18n/index.ts";
import { ProblemLine } from "../../parts/problem-line.tsx";
import { fleetTexts } from "../i18n/index.ts";
import { RoleHint } from "../parts/role-hint.tsx";
import { WideTable } from "../parts/wide-table.tsx";
import type { Fleet } from "../state/fleet.ts";
import { nameOfService } from "../state/happenings.ts";
import { whyNot } from "../state/permissions.ts";

const PAGE = 100;

/** Who did what, page by page. */
export function AuditPage({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const [entries, setEntries] = useState<readonly AuditEntry[] | undefined>(undefined);
  const [problem, setProblem] = useState("");
  /** Where each page begins; the newest first. */
  const [before, setBefore] = useState<readonly (number | undefined)[]>([undefined]);
  const mayNot = whyNot(fleet, "admin") !== undefined;
  const isLive = fleet.state.value === "live";
  useEffect(() => {
    if (mayNot || !isLive) return undefined;
    let isGone = false;
    const from = before.at(-1);
    fleet.client
      .audit({ limit: PAGE, ...(from !== undefined && { before: from }) })
      .then((told) => {
        if (isGone) return;
        setEntries(told);
        setProblem("");
      })
      .catch((error: unknown) => {
        if (!isGone) setProblem(error instanceof Error ? error.message : String(error));
      });
    return () => {
      isGone = true;
    };
  }, [fleet, before, mayNot, isLive]);

  const last = entries?.at(-1)?.sequence;
  return (
    <section aria-labelledby="audit-title">
      <div class="page-head">
        <h1 id="audit-title">{t.pages.audit}</h1>
        <div class="spring" />
        <button
          type="button"
          disabled={before.length < 2}
          onClick={() => setBefore(before.slice(0, -1))}
        >
          {t.audit.newer}
        </button>
        <button
          type="button"
          disabled={last === undefined || (entries?.length ?? 0) < PAGE}
          onClick={() => setBefore([...before, last])}
        >
          {t.audit.older}
        </button>
      </div>
      <RoleHint fleet={fleet} needed="admin" />
      <ProblemLine text={problem} />
      {mayNot || problem !== "" ? null : entries === undefined ? (
        <p class="empty">{texts().loading}</p>
      ) : entries.length === 0 ? (
        <p class="empty">{t.audit.none}</p>
      ) : (
        <AuditTable fleet={fleet} entries={entries} />
      )}
    </section>
  );
}

function AuditTable({
  fleet,
  entries,
}: {
  readonly fleet: Fleet;
  readonly entries: readonly AuditEntry[];
}) {
  const t = fleetTexts().audit;
  const nameOf = (id: string): string => {
    const service = fleet.services.value.get(id);
    return service === undefined ? fleet.nameOf(id) : nameOfService(service);
  };
  return (
    <WideTable label={fleetTexts().pages.audit}>
      <thead>
        <tr>
          {Object.entries(t.columns).map(([name, title]) => (
            <th key={name} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.sequence} class={entry.outcome}>
            <td>
              <time dateTime={entry.time}>{formatMoment(new Date(entry.time))}</time>
            </td>
            <td>
              {entry.token} <span class="dim">{roleName(entry.role)}</span>
            </td>
            <td>{entry.from}</td>
            <td class="mono">{entry.action}</td>
            <td>{nameOf(entry.object)}</td>
            <td>{t.outcomes[entry.outcome]}</td>
            <td class="break">
              {entry.detail}
              {entry.after === null || entry.after === entry.before ? null : (
                <span class="dim"> {t.revisions(entry.before ?? "–", entry.after)}</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

/** A token's role; a master that joined and the hub itself have none of them. */
function roleName(text: string): string {
  const role = FLEET_ROLES.find((each) => each === text);
  return role === undefined ? text : fleetTexts().roles[role];
}
