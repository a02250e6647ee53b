import { useRef, useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { ask } from "../../parts/ask.tsx";
import { downloadText } from "../../parts/download.ts";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon } from "../../parts/icon.tsx";
import { notify, notifyFailure } from "../../parts/notices.tsx";
import { backupText, MOST_BACKUP_BYTES, readBackup, restore } from "../../state/backup.ts";
import type { Master } from "../../state/master.ts";
import { masterName } from "../../state/masters.ts";
import { whyNotChange } from "../../state/why-not-change.ts";

/** All instances as a file, and back. */
export function Backup({ master }: { readonly master: Master }) {
  const t = texts();
  const [isBusy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);

  const download = (): void => {
    const day = new Date().toISOString().slice(0, 10);
    const name = masterName(master).replaceAll(/[^\w.-]+/g, "-");
    downloadText(`${name}-${day}.backup.json`, backupText(master));
  };

  const upload = async (chosen: File): Promise<void> => {
    setBusy(true);
    try {
      if (chosen.size > MOST_BACKUP_BYTES) throw new Error(t.backup.tooLarge);
      const backup = readBackup(await chosen.text());
      const isSure = await ask({
        title: t.backup.question(backup.length),
        text: t.backup.questionText,
        action: t.backup.restore,
        names: backup.map(({ alias, url }) => alias || url.replace(/\/\/[^/?]*@/, "//***@")),
      });
      if (!isSure) return;
      const { made, kept, failures } = await restore(master, backup);
      notify(t.backup.restored(made, kept));
      const [first] = failures;
      if (first !== undefined) notify(t.failed(failures.length, first), "failed");
    } catch (error) {
      notifyFailure(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <section class="block" aria-labelledby="backup-title">
      <h2 id="backup-title">{t.backup.title}</h2>
      <p class="dim">{t.backup.text}</p>
      <div class="buttons start">
        <button type="button" onClick={download}>
          <Icon name="download" /> {t.backup.download}
        </button>
        <GuardedButton
          why={whyNotChange(master)}
          isDisabled={isBusy}
          onClick={() => file.current?.click()}
        >
          <Icon name="upload" /> {t.backup.upload}
        </GuardedButton>
        <input
          ref={file}
          class="sr"
          type="file"
          tabIndex={-1}
          accept="application/json,.json"
          aria-label={t.backup.upload}
          onChange={({ currentTarget }) => {
            const [chosen] = currentTarget.files ?? [];
            // The same file can be chosen again.
            if (chosen !== undefined) void upload(chosen).finally(() => (currentTarget.value = ""));
          }}
        />
      </div>
    </section>
  );
}
