import { computed, signal } from "@preact/signals";
import { theme } from "./preferences.ts";

const dark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(dark.matches);
dark.addEventListener("change", ({ matches }) => {
  systemIsDark.value = matches;
});

/** Whether the page is dark now: what draws on a canvas has to know. */
export const isDark = computed(() =>
  theme.value === "system" ? systemIsDark.value : theme.value === "dark",
);
