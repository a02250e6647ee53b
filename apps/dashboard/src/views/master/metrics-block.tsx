import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { CopyText } from "../../parts/copy.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { notifyFailure } from "../../parts/notices.tsx";
import type { Master } from "../../state/master.ts";

/** Where programs look: metrics and the API's documents. */
export function Metrics({ master }: { readonly master: Master }) {
  const t = texts();
  const [text, setText] = useState<string | undefined>(undefined);
  const show = async (): Promise<void> => {
    try {
      setText(await master.client.metrics());
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <section class="block" aria-labelledby="metrics-title">
      <h2 id="metrics-title">{t.metrics.title}</h2>
      <p class="dim">{t.metrics.text}</p>
      <CopyText text={`${master.url}/metrics`} label={t.metrics.title} />
      <div class="buttons start">
        <button type="button" onClick={() => void show()}>
          <Icon name="pulse" /> {t.metrics.show}
        </button>
        <a class="button" href={`${master.url}/docs`} target="_blank" rel="noreferrer">
          {t.metrics.docs}
        </a>
        <a class="button" href={`${master.url}/openapi.json`} target="_blank" rel="noreferrer">
          OpenAPI
        </a>
      </div>
      {text === undefined ? null : (
        <Dialog title={t.metrics.title} onClose={() => setText(undefined)}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by key */}
          <pre class="mono metrics-text" tabIndex={0}>
            {text}
          </pre>
        </Dialog>
      )}
    </section>
  );
}
