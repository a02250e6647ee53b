import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface TextFieldProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly hint?: string | undefined;
  readonly isMono?: boolean;
  readonly isRequired?: boolean;
  readonly isDisabled?: boolean;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly inputMode?: "numeric";
}

/** A line of text with its name above, and what helps below. */
export function TextField(props: TextFieldProps) {
  const {
    label,
    text,
    onText,
    hint,
    isMono = false,
    isRequired = false,
    isDisabled = false,
  } = props;
  const name = useId();
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        type="text"
        class={isMono ? "mono" : undefined}
        spellcheck={false}
        autocomplete="off"
        required={isRequired}
        disabled={isDisabled}
        placeholder={props.placeholder}
        maxLength={props.maxLength}
        inputMode={props.inputMode}
        aria-describedby={hint === undefined ? undefined : `${name}-hint`}
        value={text}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
      {hint === undefined ? null : (
        <span class="hint" id={`${name}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}

export interface ChoiceFieldProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly onChoose: (value: string) => void;
}

/** One of several. */
export function ChoiceField({ label, value, choices, onChoose }: ChoiceFieldProps) {
  const name = useId();
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select
        id={name}
        value={value}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {choices.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

export interface CheckFieldProps {
  readonly isChecked: boolean;
  readonly onCheck: (isChecked: boolean) => void;
  readonly isDisabled?: boolean;
  readonly children: ComponentChildren;
}

/** Yes or no. */
export function CheckField({ isChecked, onCheck, isDisabled = false, children }: CheckFieldProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isChecked}
        disabled={isDisabled}
        onChange={({ currentTarget }) => onCheck(currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}
