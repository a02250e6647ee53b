import { checkUrl } from "@nodepass/url-config";
import { texts } from "../../i18n/index.ts";
import { checkFields } from "../../state/check-fields.ts";
import { parametersOf, readFields } from "../../state/url-text.ts";
import { OtherEnd } from "../tunnel/other-end.tsx";
import { Sentences } from "../tunnel/words.tsx";
import { Problems } from "./problem-text.tsx";

export interface UrlPanelProps {
  readonly url: string;
  readonly onChange: (url: string) => void;
}

/** The URL that a form makes, to be typed as well, and what it means. */
export function UrlPanel({ url, onChange }: UrlPanelProps) {
  const t = texts();
  const names = parametersOf(readFields(url).scheme).map(({ name }) => name);
  const problems = checkFields(url, names);
  const report = checkUrl(url, {}, { keygen: "nodepass keygen", words: t.words });
  return (
    <aside class="url-panel" aria-labelledby="url-title">
      <div class="field">
        <label id="url-title" for="url">
          {t.form.url}
        </label>
        <textarea
          id="url"
          class="mono"
          rows={4}
          value={url}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={problems.all.length > 0}
          aria-describedby="problem-url"
          onInput={({ currentTarget }) => onChange(currentTarget.value.replaceAll(/\s*\n\s*/g, ""))}
        />
        <Problems id="problem-url" problems={problems.others} />
      </div>
      {problems.all.length > 0 ? (
        <p class="problem" role="status">
          {t.form.problems(problems.all.length)}
        </p>
      ) : (
        <>
          <h2>{t.tunnel.meaning}</h2>
          <Sentences report={report} />
          <OtherEnd url={url} isKeyShown={true} />
        </>
      )}
    </aside>
  );
}
