import { Icon } from "./icon.tsx";

export interface SearchFieldProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly isSmall?: boolean;
}

/** Where people type what they look for. */
export function SearchField({ label, text, onText, isSmall = false }: SearchFieldProps) {
  return (
    <label class={isSmall ? "search small" : "search"}>
      <Icon name="search" />
      <span class="sr">{label}</span>
      <input
        type="search"
        value={text}
        placeholder={label}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
    </label>
  );
}
