import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { notify, notifyFailure } from "../../parts/notices.tsx";
import type { Master } from "../../state/master.ts";
import { whyNotChange } from "../../state/why-not-change.ts";

/** What people call a master. */
export function NameForm({ master }: { readonly master: Master }) {
  const t = texts();
  const why = whyNotChange(master);
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
          disabled={why !== undefined}
          spellcheck={false}
          value={typed ?? now}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <GuardedButton
        type="submit"
        why={why}
        isDisabled={typed === undefined || typed.trim() === now}
      >
        {t.master.rename}
      </GuardedButton>
    </form>
  );
}
