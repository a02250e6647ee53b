/**
 * Hides the key of every URL in a message that quotes arguments. Hides too much rather than too
 * little: all from `//` to the last `@` of the line.
 */
export function hideKeys(text: string): string {
  return text.replace(/\/\/.*@/g, "//***@");
}
