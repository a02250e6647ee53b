import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { CheckField, TextField } from "../../parts/fields.tsx";
import { Icon } from "../../parts/icon.tsx";
import { ProblemLine } from "../../parts/problem-line.tsx";
import type { Master } from "../../state/master.ts";
import { addMaster, knownMasters, masterName, removeMaster } from "../../state/masters.ts";
import { ownMaster } from "../../state/session.ts";

/** The masters that this browser knows: for pairs, the picture, and to go to. */
export function Masters() {
  const t = texts();
  return (
    <section class="block" aria-labelledby="masters-title">
      <h2 id="masters-title">{t.masters.title}</h2>
      <p class="dim">{t.masters.text}</p>
      <ul class="masters">
        {knownMasters.value.map((master) => (
          <KnownMaster key={master.url} master={master} />
        ))}
      </ul>
      <AddForm />
    </section>
  );
}

function KnownMaster({ master }: { readonly master: Master }) {
  const t = texts();
  const state = master.state.value;
  return (
    <li>
      <span class={`state-${state}`}>
        <span class="state-dot" aria-hidden="true" />
      </span>
      <span class="cut">
        <strong>{masterName(master)}</strong> <span class="dim">{master.url}</span>
      </span>
      <span class="dim">{t.connection.states[state]}</span>
      {master === ownMaster.value ? null : (
        <button
          type="button"
          class="ghost"
          aria-label={t.masters.remove(masterName(master))}
          onClick={() => removeMaster(master.url)}
        >
          <Icon name="trash" />
        </button>
      )}
    </li>
  );
}

function AddForm() {
  const t = texts();
  const [address, setAddress] = useState("");
  const [key, setKey] = useState("");
  const [isKept, setKept] = useState(false);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const add = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await addMaster(address, key.trim(), isKept ? "browser" : "tab");
      setAddress("");
      setKey("");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <details>
      <summary>{t.masters.add}</summary>
      <form
        class="stack add-master"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextField
          label={t.masters.address}
          isMono
          isRequired
          placeholder="https://host:9090/api"
          text={address}
          onText={setAddress}
        />
        <label class="field">
          <span>{t.signIn.key}</span>
          <input
            type="password"
            required
            autocomplete="off"
            value={key}
            onInput={({ currentTarget }) => setKey(currentTarget.value)}
          />
        </label>
        <CheckField isChecked={isKept} onCheck={setKept}>
          {t.masters.keep}
        </CheckField>
        <ProblemLine text={problem} />
        <button type="submit" disabled={isBusy}>
          <Icon name="plus" /> {t.masters.add}
        </button>
      </form>
    </details>
  );
}
