import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { ProblemLine } from "../../parts/problem-line.tsx";

const shown = signal<{ readonly content: () => ComponentChildren } | undefined>(undefined);

/** Shows a dialog until it is closed; one at a time. */
export function showDialog(content: () => ComponentChildren): void {
  shown.value = { content };
}

/** Closes it. */
function closeDialog(): void {
  shown.value = undefined;
}

/** Where dialogs appear. */
export function Dialogs() {
  return <>{shown.value?.content()}</>;
}

export interface FormDialogProps {
  readonly title: string;
  /** What the button says that does it. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** Does it; what it rejects with is said in the dialog, which stays. */
  readonly submit: () => Promise<void>;
  readonly children: ComponentChildren;
}

/** A dialog with fields and a button. */
export function FormDialog({ title, action, isDangerous, submit, children }: FormDialogProps) {
  const t = texts();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await submit();
      closeDialog();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={closeDialog}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <div class="dialog-body">
          {children}
          <ProblemLine text={problem} />
        </div>
        <footer class="dialog-foot">
          <button type="button" onClick={closeDialog}>
            {t.cancel}
          </button>
          <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={isBusy}>
            {action}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
