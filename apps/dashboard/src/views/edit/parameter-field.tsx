import type { ParameterDescription, UrlProblem } from "@nodepass/url-config";
import { texts } from "../../i18n/index.ts";
import { choicesOf } from "../../state/url-text.ts";
import { Problems } from "./problem-text.tsx";

export interface ParameterFieldProps {
  readonly parameter: ParameterDescription;
  /** As the URL has it; empty where it has none. */
  readonly text: string;
  readonly problems: readonly UrlProblem[];
  readonly onChange: (text: string) => void;
}

/** One parameter: its name, what it means, its default, and what is wrong with it. */
export function ParameterField({ parameter, text, problems, onChange }: ParameterFieldProps) {
  const t = texts();
  const { name, allowed, meaning, defaultText } = parameter;
  const choices = choicesOf(parameter);
  const hint = `hint-${name}`;
  const problem = `problem-${name}`;
  const isWrong = problems.length > 0;
  const described = isWrong ? `${hint} ${problem}` : hint;
  const fallback = defaultText ?? t.form.none;
  return (
    <div class={`parameter ${text === "" ? "" : "set"}`}>
      <label for={`parameter-${name}`} class="mono">
        {name}
      </label>
      {choices !== undefined && (text === "" || choices.includes(text)) ? (
        <select
          id={`parameter-${name}`}
          value={text}
          aria-describedby={described}
          aria-invalid={isWrong}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        >
          <option value="">{t.form.byDefault(fallback)}</option>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={`parameter-${name}`}
          type="text"
          class="mono"
          value={text}
          placeholder={fallback}
          spellcheck={false}
          autocomplete="off"
          aria-describedby={described}
          aria-invalid={isWrong}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
      <span class="hint" id={hint}>
        {t.parameters[name] ?? meaning}
        {choices === undefined ? ` · ${t.form.allowed(allowed)}` : ""}
      </span>
      <Problems id={problem} problems={problems} />
    </div>
  );
}
