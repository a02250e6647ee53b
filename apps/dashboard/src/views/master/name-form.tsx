import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { notify, notifyFailure } from "../../parts/notices.tsx";
import type { Master } from "../../state/master.ts";

/** What people call a master. */
export function NameForm({ master }: { readonly master: Master }) {
  const t = texts();
  const mayNot = !master.mayChange.value;
  const { alias } = master.facts.value;
  const now = typeof alias === "string" ? alias : "";
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const save = async (): Promise<void> => {
    try {
      await master.client.rename((typed ?? now).trim());
      await master.refreshFacts();
      setTyped(undefined);
      notify(t.master.renamed);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <form
      class="block row-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <label class="field grow">
        <span>{t.master.name}</span>
        <input
          type="text"
          maxLength={256}
          disabled={mayNot}
          spellcheck={false}
          value={typed ?? now}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <button
        type="submit"
        disabled={mayNot || typed === undefined || typed.trim() === now}
        title={mayNot ? t.readsOnly : undefined}
      >
        {t.master.rename}
      </button>
    </form>
  );
}
