import { type ReadonlySignal, signal } from "@preact/signals";

/** Whether the page is as narrow as a phone; the style sheets have the same width. */
export const narrow: ReadonlySignal<boolean> = follow("(max-width: 760px)");

/** Whether not all columns have room beside each other. */
export const tight: ReadonlySignal<boolean> = follow("(max-width: 1050px)");

function follow(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const fits = signal(list.matches);
  list.addEventListener("change", ({ matches }) => {
    fits.value = matches;
  });
  return fits;
}
