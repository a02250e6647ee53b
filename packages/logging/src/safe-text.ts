/** Longest text kept of one message or value, in UTF-16 units; the rest is cut and marked. */
export const maxTextLength = 2048;

// C0 and C1 controls, DEL, line and paragraph separator, the marks that turn the writing direction
// round, lone surrogates, and the two characters that make a tag in HTML.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069<>]|\p{Surrogate}/gu;

/**
 * Makes text that a peer may have chosen safe in a line: for terminals (no control sequence, no
 * second line, no hidden reversal) and for pages that show log lines as raw HTML (no tag).
 *
 * @returns the text with each such character as `\xhh` or `\uhhhh`, cut at `maxTextLength`
 */
export function safeText(text: string): string {
  const kept = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  return kept.replace(unsafe, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
