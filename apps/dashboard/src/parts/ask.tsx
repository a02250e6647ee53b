import { signal } from "@preact/signals";
import { texts } from "../i18n/index.ts";
import { Dialog } from "./dialog.tsx";

/** A question that is asked before something that cannot be taken back. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that does it. */
  readonly action: string;
  /** Names of what it is about; the first few are shown. */
  readonly names?: readonly string[];
}

const MOST_NAMES = 8;
const asked = signal<{ question: Question; answer: (yes: boolean) => void } | undefined>(undefined);

/** Asks once. @returns whether it shall be done */
export function ask(question: Question): Promise<boolean> {
  asked.peek()?.answer(false);
  return new Promise((resolve) => {
    asked.value = {
      question,
      answer: (yes) => {
        asked.value = undefined;
        resolve(yes);
      },
    };
  });
}

/** Where questions appear. */
export function Questions() {
  const now = asked.value;
  if (now === undefined) return null;
  const { question, answer } = now;
  const names = question.names ?? [];
  const t = texts();
  return (
    <Dialog title={question.title} onClose={() => answer(false)}>
      <div class="dialog-body">
        <p>{question.text}</p>
        {names.length === 0 ? null : (
          <ul class="names">
            {names.slice(0, MOST_NAMES).map((name) => (
              <li key={name}>{name}</li>
            ))}
            {names.length > MOST_NAMES ? <li>{t.andMore(names.length - MOST_NAMES)}</li> : null}
          </ul>
        )}
      </div>
      <footer class="dialog-foot">
        <button type="button" onClick={() => answer(false)}>
          {t.cancel}
        </button>
        <button type="button" class="danger" onClick={() => answer(true)}>
          {question.action}
        </button>
      </footer>
    </Dialog>
  );
}
