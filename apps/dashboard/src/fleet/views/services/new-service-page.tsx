import { useState } from "preact/hooks";
import { texts } from "../../../i18n/index.ts";
import { CopyText } from "../../../parts/copy.tsx";
import { GuardedButton } from "../../../parts/guarded-button.tsx";
import { Icon } from "../../../parts/icon.tsx";
import { notify } from "../../../parts/notices.tsx";
import { ProblemLine } from "../../../parts/problem-line.tsx";
import { Problems } from "../../../views/edit/problem-text.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { CheckField, TextField } from "../../parts/fields.tsx";
import { PolicyFields } from "../../parts/policy-fields.tsx";
import { hrefOfPage } from "../../routes.ts";
import type { Fleet } from "../../state/fleet.ts";
import { serviceHref } from "../../state/happenings.ts";
import {
  askedService,
  draftUrls,
  EMPTY_DRAFT,
  type ServiceDraft,
  urlProblems,
} from "../../state/new-service.ts";
import { whyNot } from "../../state/permissions.ts";
import { reasonsOf } from "../../state/service-actions.ts";
import { PairFields } from "./pair-fields.tsx";
import { SingleFields } from "./single-fields.tsx";

const KINDS = ["pair", "single"] as const;

/** Makes a service: a pair, or one tunnel at one master. */
export function NewServicePage({ fleet }: { readonly fleet: Fleet }) {
  const all = fleetTexts();
  const t = all.form;
  const [draft, setDraft] = useState<ServiceDraft>(EMPTY_DRAFT);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const change = (part: Partial<ServiceDraft>): void => setDraft((now) => ({ ...now, ...part }));
  const urls = draftUrls(draft);
  const problems = Object.values(urls).flatMap(urlProblems);

  const create = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const made = await fleet.client.createService(askedService(draft));
      fleet.putService(made);
      const reasons = reasonsOf(made);
      if (reasons === "") notify(t.created);
      else notify(t.partly(reasons), "failed");
      location.hash = serviceHref(made.sid);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };

  const names: Readonly<Record<string, string>> = {
    server: t.serverUrl,
    client: t.clientUrl,
    only: t.url,
  };
  return (
    <section aria-labelledby="new-service-title">
      <div class="page-head">
        <a class="ghost button" href={hrefOfPage("services")} aria-label={all.services.back}>
          <Icon name="back" />
        </a>
        <h1 id="new-service-title">{t.title}</h1>
      </div>
      <form
        class="edit"
        onSubmit={(event) => {
          event.preventDefault();
          if (problems.length === 0) void create();
        }}
      >
        <div class="stack wide">
          <p class="dim">{t.text}</p>
          <fieldset class="segments-field">
            <legend>{t.kind}</legend>
            {KINDS.map((kind) => (
              <label key={kind} class="check">
                <input
                  type="radio"
                  name="kind"
                  checked={draft.kind === kind}
                  onChange={() => change({ kind })}
                />
                <span>{t.kinds[kind]}</span>
              </label>
            ))}
          </fieldset>
          <div class="two">
            <TextField label={t.name} text={draft.alias} onText={(alias) => change({ alias })} />
            <TextField
              label={t.tags}
              text={draft.tags}
              onText={(tags) => change({ tags })}
              placeholder="env=prod, team=core"
            />
          </div>
          {draft.kind === "pair" ? (
            <PairFields fleet={fleet} draft={draft} onChange={change} />
          ) : (
            <SingleFields fleet={fleet} draft={draft} onChange={change} />
          )}
          <PolicyFields policy={draft.policy} onPolicy={(policy) => change({ policy })} />
          <CheckField isChecked={draft.running} onCheck={(running) => change({ running })}>
            {t.running}
          </CheckField>
        </div>
        <div class="edit-side">
          <aside class="url-panel" aria-label={t.urls}>
            <h2>{t.urls}</h2>
            {Object.entries(urls).map(([name, url]) => (
              <CopyText key={name} text={url} label={names[name] ?? name} />
            ))}
            <Problems id="service-problems" problems={problems} />
          </aside>
          <ProblemLine text={problem} />
          <div class="buttons">
            <a class="button" href={hrefOfPage("services")}>
              {texts().cancel}
            </a>
            <GuardedButton
              type="submit"
              class="primary"
              why={whyNot(fleet, "operator")}
              isDisabled={problems.length > 0 || isBusy}
            >
              {t.create}
            </GuardedButton>
          </div>
        </div>
      </form>
    </section>
  );
}
