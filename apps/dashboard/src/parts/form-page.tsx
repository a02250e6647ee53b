import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { texts } from "../i18n/index.ts";
import { GuardedButton } from "./guarded-button.tsx";
import { Icon } from "./icon.tsx";
import { ProblemLine } from "./problem-line.tsx";

export interface FormPageProps {
  readonly title: string;
  /** Where it leads back to without doing anything, and what that is called. */
  readonly back: { readonly href: string; readonly label: string };
  /** What the button says that does it. */
  readonly action: string;
  /** Why it may not be done. */
  readonly why: string | undefined;
  /** What is typed cannot be used as it is. */
  readonly hasProblems: boolean;
  /** Does it and goes where it leads; what it rejects with is said on the page, which stays. */
  readonly submit: () => Promise<void>;
  /** Whether the browser says what is missing. @default the page does, as one types */
  readonly isValidated?: boolean;
  /** Beside the fields: what comes of them. */
  readonly side: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page with fields, what comes of them, and a button. */
export function FormPage(props: FormPageProps) {
  const { title, back, action, why, hasProblems, submit, isValidated = false } = props;
  const name = useId();
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await submit();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <section aria-labelledby={name}>
      <div class="page-head">
        <a class="ghost button" href={back.href} aria-label={back.label}>
          <Icon name="back" />
        </a>
        <h1 id={name} class="cut">
          {title}
        </h1>
      </div>
      <form
        class="edit"
        noValidate={!isValidated}
        onSubmit={(event) => {
          event.preventDefault();
          if (!hasProblems) void run();
        }}
      >
        <div class="stack wide">{props.children}</div>
        <div class="edit-side">
          {props.side}
          <ProblemLine text={problem} />
          <div class="buttons">
            <a class="button" href={back.href}>
              {texts().cancel}
            </a>
            <GuardedButton
              type="submit"
              class="primary"
              why={why}
              isDisabled={hasProblems || isBusy}
            >
              {action}
            </GuardedButton>
          </div>
        </div>
      </form>
    </section>
  );
}
