import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { ask } from "../../parts/ask.tsx";
import { CopyText } from "../../parts/copy.tsx";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon } from "../../parts/icon.tsx";
import { notifyFailure } from "../../parts/notices.tsx";
import type { Master } from "../../state/master.ts";
import { keepNewKey } from "../../state/masters.ts";
import { whyNotChange } from "../../state/why-not-change.ts";

/** New keys: the old ones are refused from then on, and this browser goes on with the new one. */
export function Keys({ master }: { readonly master: Master }) {
  const t = texts();
  const why = whyNotChange(master);
  const [made, setMade] = useState<{ readonly label: string; readonly key: string } | undefined>(
    undefined,
  );
  const renew = async (which: "full" | "read"): Promise<void> => {
    const words = t.keys[which];
    const isSure = await ask({ title: words.question, text: words.text, action: t.keys.renew });
    if (!isSure) return;
    try {
      if (which === "full") {
        const key = await master.client.renewKey();
        keepNewKey(master, key);
        setMade({ label: words.name, key });
      } else setMade({ label: words.name, key: await master.client.renewReadKey() });
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <section class="block" aria-labelledby="keys-title">
      <h2 id="keys-title">{t.keys.title}</h2>
      <p class="dim">{t.keys.text}</p>
      <div class="buttons start">
        <GuardedButton why={why} onClick={() => void renew("full")}>
          <Icon name="key" /> {t.keys.full.action}
        </GuardedButton>
        <GuardedButton why={why} onClick={() => void renew("read")}>
          <Icon name="key" /> {t.keys.read.action}
        </GuardedButton>
      </div>
      {made === undefined ? null : (
        <div role="status">
          <h3>{t.keys.made(made.label)}</h3>
          <CopyText text={made.key} label={made.label} />
        </div>
      )}
    </section>
  );
}
