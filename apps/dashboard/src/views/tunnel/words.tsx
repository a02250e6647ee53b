import { checkUrl } from "@nodepass/url-config";
import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { CopyText } from "../../parts/copy.tsx";
import { Icon } from "../../parts/icon.tsx";
import { OtherEnd } from "./other-end.tsx";

/** What a URL means in words, as `nodepass check` says it. */
export function Words({ url }: { readonly url: string }) {
  const t = texts();
  const [isShown, setShown] = useState(false);
  const report = checkUrl(url, {}, { showKey: isShown, keygen: "nodepass keygen", words: t.words });
  return (
    <section class="block" aria-labelledby="words-title">
      <div class="block-head">
        <h2 id="words-title">{t.tunnel.meaning}</h2>
        <div class="spring" />
        <label class="check">
          <input
            type="checkbox"
            checked={isShown}
            onChange={({ currentTarget }) => setShown(currentTarget.checked)}
          />
          <span>{t.tunnel.showKey}</span>
        </label>
      </div>
      <Sentences report={report} />
      {report.url === undefined ? null : (
        <>
          <h3>{t.tunnel.inFull}</h3>
          <CopyText text={report.url} label={t.tunnel.inFull} />
        </>
      )}
      <OtherEnd url={url} isKeyShown={isShown} />
    </section>
  );
}

/** The sentences of a report, then what is risky in it. */
export function Sentences({ report }: { readonly report: ReturnType<typeof checkUrl> }) {
  return (
    <>
      <ul class="sentences">
        {report.description.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {report.warnings.map((warning) => (
        <p key={warning} class="warning">
          <Icon name="warning" /> {warning}
        </p>
      ))}
    </>
  );
}
