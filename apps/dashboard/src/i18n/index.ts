import { computed, effect } from "@preact/signals";
import { isOneOf, preference } from "../state/preferences.ts";
import { type Catalogue, en } from "./en.ts";
import { zh } from "./zh.ts";

export const LANGUAGES = ["en", "zh"] as const;

export type Language = (typeof LANGUAGES)[number];

const catalogues: Readonly<Record<Language, Catalogue>> = { en, zh };

/** The language that is spoken: chosen here, or the browser's. */
export const language = preference<Language>(
  "language",
  navigator.languages.some((each) => each.startsWith("zh")) &&
    !navigator.languages[0]?.startsWith("en")
    ? "zh"
    : "en",
  isOneOf(LANGUAGES),
);

/** For `Intl`. */
export const locale = computed(() => (language.value === "zh" ? "zh-CN" : "en-GB"));

const chosen = computed(() => catalogues[language.value]);

effect(() => {
  document.documentElement.lang = locale.value;
});

/** The texts in the language that is spoken; a view that calls this is drawn anew with another. */
export function texts(): Catalogue {
  return chosen.value;
}
