import type { RemoteInstance } from "@nodepass/master-client";
import { useState } from "preact/hooks";
import { readLabels, writeTags } from "../../format/labels.ts";
import { texts } from "../../i18n/index.ts";
import { CheckField, TextField } from "../../parts/fields.tsx";
import { FormPage } from "../../parts/form-page.tsx";
import { notify } from "../../parts/notices.tsx";
import { goTo, hrefOf, type Route } from "../../router.ts";
import { nameOf } from "../../state/actions.ts";
import { checkFields } from "../../state/check-fields.ts";
import { draft } from "../../state/draft.ts";
import type { Master } from "../../state/master.ts";
import { changeTunnel, createTunnel } from "../../state/save.ts";
import { whyNotChange } from "../../state/why-not-change.ts";
import { TunnelForm } from "./tunnel-form.tsx";
import { UrlPanel } from "./url-panel.tsx";

/** What a form begins with that has nothing to begin with. */
const FIRST_URL = "client://127.0.0.1:8080/127.0.0.1:80?mode=1";

/** Makes a new instance; what another has may be the beginning. */
export function NewPage({ master }: { readonly master: Master }) {
  return <TunnelEditor master={master} instance={undefined} />;
}

/** Changes an instance. */
export function EditPage({ master, id }: { readonly master: Master; readonly id: string }) {
  const t = texts();
  // Read once it is there, then left alone: what comes in must not change what is being typed.
  if (!master.isLoaded.value) return <p class="empty">{t.loading}</p>;
  const instance = master.rows.get(id)?.instance;
  if (instance === undefined) return <p class="empty">{t.tunnel.gone}</p>;
  return <TunnelEditor key={id} master={master} instance={instance} />;
}

interface TunnelEditorProps {
  readonly master: Master;
  readonly instance: RemoteInstance | undefined;
}

function TunnelEditor({ master, instance }: TunnelEditorProps) {
  const t = texts();
  const [first] = useState(() => {
    const begun = draft.peek();
    draft.value = undefined;
    return instance ?? begun;
  });
  const [url, setUrl] = useState(first?.url ?? FIRST_URL);
  const [alias, setAlias] = useState(first?.alias ?? "");
  const [tags, setTags] = useState(writeTags(first?.tags ?? {}));
  const [restart, setRestart] = useState(instance?.restart ?? true);
  const hasProblems = checkFields(url, []).all.length > 0;
  const back: Route =
    instance === undefined ? { name: "tunnels" } : { name: "tunnel", id: instance.id };

  const save = async (): Promise<void> => {
    const made = { url, alias: alias.trim(), tags: readLabels(tags), restart };
    if (instance !== undefined) await changeTunnel(master, instance, made);
    const id = instance?.id ?? (await createTunnel(master, made)).id;
    notify(instance === undefined ? t.form.created : t.form.saved);
    goTo({ name: "tunnel", id });
  };

  return (
    <FormPage
      title={instance === undefined ? t.tunnels.add : t.form.editTitle(nameOf(instance))}
      back={{ href: hrefOf(back), label: t.tunnel.back }}
      action={instance === undefined ? t.form.create : t.form.save}
      why={whyNotChange(master)}
      hasProblems={hasProblems}
      submit={save}
      side={<UrlPanel url={url} onChange={setUrl} />}
    >
      <div class="two">
        <TextField label={t.columns.name} text={alias} onText={setAlias} maxLength={256} />
        <TextField
          label={t.form.tags}
          text={tags}
          onText={setTags}
          placeholder="env=prod, team=core"
        />
      </div>
      <CheckField isChecked={restart} onCheck={setRestart}>
        {t.form.withMaster}
      </CheckField>
      <TunnelForm url={url} onChange={setUrl} />
    </FormPage>
  );
}
