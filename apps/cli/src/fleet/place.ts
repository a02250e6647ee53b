/** Where a part of a service runs: on one master, or on one of those with such labels. */
export type Place = { readonly master: string } | { readonly selector: string };

/** A name or mid of a master, or a selector: that has `=`, `!` or `,`. */
export function placeOf(text: string): Place {
  return /[=!,]/.test(text) ? { selector: text } : { master: text };
}
