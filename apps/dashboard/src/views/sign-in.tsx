import { MasterClientError } from "@nodepass/master-client";
import { useState } from "preact/hooks";
import { texts } from "../i18n/index.ts";
import { ProblemLine } from "../parts/problem-line.tsx";
import type { Keeping } from "../state/keys.ts";
import { linkProblem, ownUrl, signIn } from "../state/session.ts";
import { LookSettings } from "./look-settings.tsx";

/** What is asked for, in words. */
export interface KeyWords {
  readonly key: string;
  readonly wrongKey: string;
}

export interface SignInProps {
  /** @default a master's */
  readonly words?: (KeyWords & { readonly whereIsIt: string }) | undefined;
}

/** The first page: asks for the API key. */
export function SignIn({ words }: SignInProps) {
  const t = texts();
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <h1>
          <Logo /> NodePass
        </h1>
        <p class="dim break">{ownUrl.replace(/^https?:\/\//, "")}</p>
        <ProblemLine
          text={linkProblem.value === "" ? "" : t.signIn.linkFailed(linkProblem.value)}
        />
        <KeyForm action={t.signIn.action} use={signIn} words={words} />
        <p class="hint">{(words ?? t.signIn).whereIsIt}</p>
      </div>
      <LookSettings />
    </main>
  );
}

export interface KeyFormProps {
  /** What the button says. */
  readonly action: string;
  /** Goes on with a key; rejects with why not. */
  readonly use: (key: string, keeping: Keeping) => Promise<void>;
  /** @default a master's */
  readonly words?: KeyWords | undefined;
}

/** Asks for a key until the master takes one. */
export function KeyForm({ action, use, words }: KeyFormProps) {
  const t = texts();
  const asked = words ?? t.signIn;
  const [key, setKey] = useState("");
  const [isKept, setKept] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (): Promise<void> => {
    const keeping: Keeping = isKept ? "browser" : "tab";
    setBusy(true);
    try {
      await use(key.trim(), keeping);
      linkProblem.value = "";
    } catch (error) {
      setBusy(false);
      setProblem(describe(error));
    }
  };
  const describe = (error: unknown): string => {
    if (!(error instanceof MasterClientError)) return String(error);
    if (error.status === 429) return t.signIn.tooOften;
    return error.code === "UNAUTHORIZED" ? asked.wrongKey : error.message;
  };

  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label class="field">
        <span>{asked.key}</span>
        <input
          type="password"
          name="key"
          autocomplete="current-password"
          spellcheck={false}
          required
          autofocus
          value={key}
          aria-invalid={problem !== ""}
          aria-describedby={problem === "" ? undefined : "key-problem"}
          onInput={({ currentTarget }) => {
            setKey(currentTarget.value);
            setProblem("");
          }}
        />
      </label>
      <ProblemLine text={problem} id="key-problem" />
      <label class="check">
        <input
          type="checkbox"
          checked={isKept}
          onChange={({ currentTarget }) => setKept(currentTarget.checked)}
        />
        <span>{t.signIn.keep}</span>
      </label>
      <button type="submit" class="primary" disabled={isBusy || key.trim() === ""}>
        {action}
      </button>
    </form>
  );
}

/** The mark of the program. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M9 22V11.5a1.5 1.5 0 0 1 2.7-.9l8.6 10.8a1.5 1.5 0 0 0 2.7-.9V10" />
      <circle cx="9" cy="22" r="2.4" />
      <circle cx="23" cy="10" r="2.4" />
    </svg>
  );
}
