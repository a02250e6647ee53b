import { Icon } from "../../parts/icon.tsx";

export interface SearchFieldProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
}

/** Where people type what they look for. */
export function SearchField({ label, text, onText }: SearchFieldProps) {
  return (
    <search class="tools">
      <label class="search">
        <Icon name="search" />
        <span class="sr">{label}</span>
        <input
          type="search"
          value={text}
          placeholder={label}
          onInput={({ currentTarget }) => onText(currentTarget.value)}
        />
      </label>
    </search>
  );
}

/** Whether a text has every word that is searched. */
export function fits(text: string, query: string): boolean {
  const found = text.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => found.includes(word));
}
