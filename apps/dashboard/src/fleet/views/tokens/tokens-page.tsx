import type { FleetToken } from "@nodepass/model/fleet";
import { useEffect, useState } from "preact/hooks";
import { writeLabels } from "../../../format/labels.ts";
import { formatMoment } from "../../../format/time.ts";
import { ask } from "../../../parts/ask.tsx";
import { GuardedButton } from "../../../parts/guarded-button.tsx";
import { Icon } from "../../../parts/icon.tsx";
import { notify, notifyFailure } from "../../../parts/notices.tsx";
import { ProblemLine } from "../../../parts/problem-line.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { RoleHint } from "../../parts/role-hint.tsx";
import { WideTable } from "../../parts/wide-table.tsx";
import type { Fleet } from "../../state/fleet.ts";
import { whyNot } from "../../state/permissions.ts";
import { NewToken } from "./new-token.tsx";

/** Tokens of people, programs, and of masters that join. */
export function TokensPage({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const [tokens, setTokens] = useState<readonly FleetToken[]>([]);
  const [problem, setProblem] = useState("");
  const [asked, setAsked] = useState(0);
  const mayNot = whyNot(fleet, "admin") !== undefined;
  const isLive = fleet.state.value === "live";
  useEffect(() => {
    if (mayNot || !isLive) return undefined;
    let isGone = false;
    fleet.client
      .tokens()
      .then((told) => {
        if (isGone) return;
        setTokens([...told].sort((one, other) => (one.created < other.created ? 1 : -1)));
        setProblem("");
      })
      .catch((error: unknown) => {
        if (!isGone) setProblem(error instanceof Error ? error.message : String(error));
      });
    return () => {
      isGone = true;
    };
  }, [fleet, asked, mayNot, isLive]);

  const remove = async ({ id, note }: FleetToken): Promise<void> => {
    const words = { title: t.tokens.removeQuestion(note || id), text: t.tokens.removeText };
    if (!(await ask({ ...words, action: t.remove }))) return;
    try {
      await fleet.client.removeToken(id);
      notify(t.tokens.removed);
      setAsked(asked + 1);
    } catch (error) {
      notifyFailure(error);
    }
  };

  return (
    <section aria-labelledby="tokens-title">
      <div class="page-head">
        <h1 id="tokens-title">{t.pages.tokens}</h1>
      </div>
      <RoleHint fleet={fleet} needed="admin" />
      <NewToken fleet={fleet} onMade={() => setAsked(asked + 1)} />
      <ProblemLine text={problem} />
      {tokens.length === 0 ? (
        <p class="empty">{mayNot ? "" : t.tokens.none}</p>
      ) : (
        <WideTable label={t.pages.tokens}>
          <thead>
            <tr>
              {Object.entries(t.tokens.columns).map(([name, title]) => (
                <th key={name} scope="col">
                  {title}
                </th>
              ))}
              <td />
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <tr key={token.id}>
                <TokenCells token={token} />
                <td>
                  <GuardedButton
                    why={whyNot(fleet, "admin")}
                    class="ghost"
                    label={`${t.remove} ${token.note || token.id}`}
                    onClick={() => void remove(token)}
                  >
                    <Icon name="trash" />
                  </GuardedButton>
                </td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
    </section>
  );
}

function TokenCells({ token }: { readonly token: FleetToken }) {
  const all = fleetTexts();
  const t = all.tokens;
  const { id, note, kind, role, selector, labels, uses, expires, created } = token;
  return (
    <>
      <th scope="row">
        {note} <span class="mono dim">{id}</span>
      </th>
      <td>
        {t.kinds[kind]}
        {role === undefined ? null : <span class="dim"> {all.roles[role]}</span>}
      </td>
      <td>{kind === "join" ? "–" : selector || t.all}</td>
      <td>{writeLabels(labels) || "–"}</td>
      <td>{uses ?? t.noLimit}</td>
      <td>{expires === null ? t.never : formatMoment(new Date(expires))}</td>
      <td>{formatMoment(new Date(created))}</td>
    </>
  );
}
