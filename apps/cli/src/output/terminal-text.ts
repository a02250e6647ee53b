// Controls, separators of lines, marks that turn the writing direction round, lone surrogates.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** Of those what JSON leaves as it is: in a string of JSON, or one in double quotes of YAML, each has an escape. */
const unsafeInJson = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A sequence that only colours; its numbers are few and short. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it looks for
const colourSequence = /\x1b\[[0-9;]{0,16}m/g;

/** Text that a master sent, without anything that a terminal would act on. */
export function plainText(text: string): string {
  return text.replace(colourSequence, "").replace(unsafe, escapeCharacter);
}

/** JSON, the same value without anything that a terminal would act on; YAML whose {@link needsQuotes} have them. */
export function plainJson(text: string): string {
  return text.replace(unsafeInJson, escapeCharacter);
}

/** Whether a text can stand in YAML only in double quotes. */
export function needsQuotes(text: string): boolean {
  return text.search(unsafeInJson) !== -1;
}

/** A log line that a master sent: its colours stay if `coloured`, everything else is made plain. */
export function logText(line: string, coloured: boolean): string {
  if (!coloured) return plainText(line);
  let shown = "";
  let end = 0;
  for (const { 0: sequence, index } of line.matchAll(colourSequence)) {
    shown += plainText(line.slice(end, index)) + sequence;
    end = index + sequence.length;
  }
  const rest = plainText(line.slice(end));
  return end === 0 ? rest : `${shown}${rest}\x1b[0m`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code === 9 ? " " : `\\u${code.toString(16).padStart(4, "0")}`;
}
