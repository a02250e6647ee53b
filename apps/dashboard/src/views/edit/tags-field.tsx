import { texts } from "../../i18n/index.ts";

/** Tags as people type them: `env=prod, team=core`. */
export function readTags(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((part): [string, string][] => {
    const [name = "", ...rest] = part.split("=");
    return name.trim() === "" ? [] : [[name.trim(), rest.join("=").trim()]];
  });
  return Object.fromEntries(pairs);
}

/** The other way round; marks of programs are left out. */
export function writeTags(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .filter(([name]) => !name.startsWith("nodepass."))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join(", ");
}

export interface TagsFieldProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
}

/** The tags of an instance, which lists are grouped by. */
export function TagsField({ text, onChange }: TagsFieldProps) {
  const t = texts();
  return (
    <label class="field">
      <span>{t.form.tags}</span>
      <input
        type="text"
        value={text}
        spellcheck={false}
        placeholder="env=prod, team=core"
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
