import type { RemoteInstance } from "@nodepass/master-client";
import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon } from "../../parts/icon.tsx";
import { notify } from "../../parts/notices.tsx";
import { ProblemLine } from "../../parts/problem-line.tsx";
import { goTo, hrefOf, type Route } from "../../router.ts";
import { nameOf } from "../../state/actions.ts";
import { checkFields } from "../../state/check-fields.ts";
import { draft } from "../../state/draft.ts";
import type { Master } from "../../state/master.ts";
import { changeTunnel, createTunnel } from "../../state/save.ts";
import { whyNotChange } from "../../state/why-not-change.ts";
import { readTags, TagsField, writeTags } from "./tags-field.tsx";
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
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const hasProblems = checkFields(url, []).all.length > 0;
  const back: Route =
    instance === undefined ? { name: "tunnels" } : { name: "tunnel", id: instance.id };

  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    const made = { url, alias: alias.trim(), tags: readTags(tags), restart };
    try {
      if (instance !== undefined) await changeTunnel(master, instance, made);
      const id = instance?.id ?? (await createTunnel(master, made)).id;
      notify(instance === undefined ? t.form.created : t.form.saved);
      goTo({ name: "tunnel", id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };

  return (
    <section aria-labelledby="edit-title">
      <div class="page-head">
        <a class="ghost button" href={hrefOf(back)} aria-label={t.tunnel.back}>
          <Icon name="back" />
        </a>
        <h1 id="edit-title" class="cut">
          {instance === undefined ? t.tunnels.add : t.form.editTitle(nameOf(instance))}
        </h1>
      </div>
      <form
        class="edit"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!hasProblems) void save();
        }}
      >
        <div class="stack wide">
          <div class="two">
            <label class="field">
              <span>{t.columns.name}</span>
              <input
                type="text"
                value={alias}
                maxLength={256}
                spellcheck={false}
                onInput={({ currentTarget }) => setAlias(currentTarget.value)}
              />
            </label>
            <TagsField text={tags} onChange={setTags} />
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={restart}
              onChange={({ currentTarget }) => setRestart(currentTarget.checked)}
            />
            <span>{t.form.withMaster}</span>
          </label>
          <TunnelForm url={url} onChange={setUrl} />
        </div>
        <div class="edit-side">
          <UrlPanel url={url} onChange={setUrl} />
          <ProblemLine text={problem} />
          <div class="buttons">
            <a class="button" href={hrefOf(back)}>
              {t.cancel}
            </a>
            <GuardedButton
              type="submit"
              class="primary"
              why={whyNotChange(master)}
              isDisabled={hasProblems || isBusy}
            >
              {instance === undefined ? t.form.create : t.form.save}
            </GuardedButton>
          </div>
        </div>
      </form>
    </section>
  );
}
