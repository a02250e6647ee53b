import { z } from "zod";

/** A text for people of which no more is kept than so many characters. */
export function shortText(most: number) {
  return z.string().overwrite((text) => text.slice(0, most));
}
