import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";
import { checkFields } from "../../state/check-fields.ts";
import {
  makeKey,
  parametersOf,
  readFields,
  type UrlFields,
  withParameter,
  writeFields,
} from "../../state/url-text.ts";
import { ParameterField } from "./parameter-field.tsx";
import { Problems } from "./problem-text.tsx";
import { inRole, ROLES, roleOf } from "./roles.ts";

export interface TunnelFormProps {
  readonly url: string;
  readonly onChange: (url: string) => void;
}

/** A URL as a form: what it is for, its addresses, its key, and every parameter. */
export function TunnelForm({ url, onChange }: TunnelFormProps) {
  const t = texts();
  const fields = readFields(url);
  const parameters = parametersOf(fields.scheme).filter(({ name }) => name !== "mode");
  const problems = checkFields(url, [...parameters.map(({ name }) => name), "mode"]);
  const role = roleOf(fields);
  const labels = t.form.addresses[role ?? (fields.scheme === "server" ? "auto" : "autoClient")];
  const change = (to: UrlFields): void => onChange(writeFields(to));
  return (
    <>
      <fieldset class="roles">
        <legend>{t.form.role}</legend>
        {ROLES.map((each) => (
          <label key={each} class="role">
            <input
              type="radio"
              name="role"
              checked={role === each}
              onChange={() => change(inRole(fields, each))}
            />
            <span>
              <strong>{t.form.roles[each].name}</strong>
              <span class="hint">{t.form.roles[each].text}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Problems id="problem-mode" problems={problems.of("mode")} />
      <div class="two">
        <AddressField
          name="tunnel"
          label={labels.tunnel}
          value={fields.tunnel}
          problems={problems.of("tunnel address")}
          onChange={(tunnel) => change({ ...fields, tunnel })}
        />
        <AddressField
          name="targets"
          label={labels.targets}
          value={fields.targets}
          problems={problems.of("target address")}
          onChange={(targets) => change({ ...fields, targets })}
        />
      </div>
      {role === "forwarder" ? null : (
        <div class="field">
          <label for="tunnel-key">{t.form.key}</label>
          <div class="with-button">
            <input
              id="tunnel-key"
              type="text"
              class="mono"
              value={fields.key}
              spellcheck={false}
              autocomplete="off"
              aria-describedby="hint-tunnel-key problem-tunnel-key"
              aria-invalid={problems.of("tunnel key").length > 0}
              onInput={({ currentTarget }) => change({ ...fields, key: currentTarget.value })}
            />
            <button type="button" onClick={() => change({ ...fields, key: makeKey() })}>
              <Icon name="key" /> {t.form.makeKey}
            </button>
          </div>
          <span class="hint" id="hint-tunnel-key">
            {t.form.keyHint}
          </span>
          <Problems id="problem-tunnel-key" problems={problems.of("tunnel key")} />
        </div>
      )}
      <h2>{t.form.parameters}</h2>
      <div class="parameters">
        {parameters.map((parameter) => (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            text={fields.parameters.get(parameter.name) ?? ""}
            problems={problems.of(parameter.name)}
            onChange={(text) => change(withParameter(fields, parameter.name, text))}
          />
        ))}
      </div>
    </>
  );
}

interface AddressFieldProps {
  readonly name: string;
  readonly label: { readonly name: string; readonly hint: string };
  readonly value: string;
  readonly problems: ReturnType<ReturnType<typeof checkFields>["of"]>;
  readonly onChange: (value: string) => void;
}

function AddressField({ name, label, value, problems, onChange }: AddressFieldProps) {
  return (
    <div class="field">
      <label for={`address-${name}`}>{label.name}</label>
      <input
        id={`address-${name}`}
        type="text"
        class="mono"
        value={value}
        spellcheck={false}
        autocomplete="off"
        aria-describedby={`hint-${name} problem-address-${name}`}
        aria-invalid={problems.length > 0}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <span class="hint" id={`hint-${name}`}>
        {label.hint}
      </span>
      <Problems id={`problem-address-${name}`} problems={problems} />
    </div>
  );
}
