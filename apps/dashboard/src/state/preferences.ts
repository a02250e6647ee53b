import { effect, type Signal, signal } from "@preact/signals";

/** What the browser keeps for this dashboard; several masters may share an origin, not these. */
const prefix = "nodepass.";

/** Reads what was kept; storage may be switched off, or hold what another version wrote. */
function read<T>(name: string, isFit: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(prefix + name) ?? "null");
    return isFit(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A preference that this browser keeps. */
export function preference<T>(
  name: string,
  initial: T,
  isFit: (value: unknown) => value is T,
): Signal<T> {
  const kept = signal(read(name, isFit) ?? initial);
  effect(() => {
    const text = JSON.stringify(kept.value);
    try {
      localStorage.setItem(prefix + name, text);
    } catch {
      // Then it holds as long as the page.
    }
  });
  return kept;
}

/** A guard for one of several texts. */
export function isOneOf<const T extends string>(values: readonly T[]) {
  return (value: unknown): value is T => values.some((each) => each === value);
}

/** A guard for lists of texts. */
export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

export const THEMES = ["system", "light", "dark"] as const;

/** Light, dark, or as the system has it. */
export const theme = preference("theme", "system", isOneOf(THEMES));

effect(() => {
  const { dataset } = document.documentElement;
  if (theme.value === "system") delete dataset.theme;
  else dataset.theme = theme.value;
});
