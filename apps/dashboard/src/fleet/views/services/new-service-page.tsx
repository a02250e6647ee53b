import { useState } from "preact/hooks";
import { CopyText } from "../../../parts/copy.tsx";
import { CheckField, TextField } from "../../../parts/fields.tsx";
import { FormPage } from "../../../parts/form-page.tsx";
import { notify } from "../../../parts/notices.tsx";
import { Problems } from "../../../views/edit/problem-text.tsx";
import { fleetTexts } from "../../i18n/index.ts";
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
  const change = (part: Partial<ServiceDraft>): void => setDraft((now) => ({ ...now, ...part }));
  const urls = draftUrls(draft);
  const problems = Object.values(urls).flatMap(urlProblems);

  const create = async (): Promise<void> => {
    const made = await fleet.client.createService(askedService(draft));
    fleet.putService(made);
    const reasons = reasonsOf(made);
    if (reasons === "") notify(t.created);
    else notify(t.partly(reasons), "failed");
    location.hash = serviceHref(made.sid);
  };

  const names: Readonly<Record<string, string>> = {
    server: t.serverUrl,
    client: t.clientUrl,
    only: t.url,
  };
  return (
    <FormPage
      title={t.title}
      back={{ href: hrefOfPage("services"), label: all.services.back }}
      action={t.create}
      why={whyNot(fleet, "operator")}
      hasProblems={problems.length > 0}
      submit={create}
      isValidated
      side={
        <aside class="url-panel" aria-label={t.urls}>
          <h2>{t.urls}</h2>
          {Object.entries(urls).map(([name, url]) => (
            <CopyText key={name} text={url} label={names[name] ?? name} />
          ))}
          <Problems id="service-problems" problems={problems} />
        </aside>
      }
    >
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
    </FormPage>
  );
}
