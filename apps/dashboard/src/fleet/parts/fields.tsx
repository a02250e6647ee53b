import type { ComponentChildren } from "preact";

export interface TextFieldProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly hint?: string | undefined;
  readonly isMono?: boolean;
  readonly isRequired?: boolean;
  readonly placeholder?: string;
}

/** A line of text with its name above, and what helps below. */
export function TextField(props: TextFieldProps) {
  const { label, text, onText, hint, isMono = false, isRequired = false, placeholder } = props;
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="text"
        class={isMono ? "mono" : undefined}
        spellcheck={false}
        autocomplete="off"
        required={isRequired}
        placeholder={placeholder}
        value={text}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
      {hint === undefined ? null : <span class="hint">{hint}</span>}
    </label>
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
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {choices.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
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
