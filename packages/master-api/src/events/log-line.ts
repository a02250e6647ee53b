/** Longest log line sent, in UTF-16 units; with the instance it stays below 64 KiB a frame. */
export const MAX_LOG_LINE = 2048;

/** Most lines taken out of one `log` event. */
const MAX_LINES = 64;

const ESCAPE = String.fromCharCode(27);
const C1_CSI = String.fromCharCode(0x9b);

/** The only escapes that the dashboard translates; all others would show as junk. */
const COLOUR = new RegExp(`${ESCAPE}\\[(?:0|3[1-7])m`, "g");
const ANY_SEQUENCE = new RegExp(
  `(?:${ESCAPE}\\[|${C1_CSI})[0-?]*[ -/]*[@-~]|${ESCAPE}\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|${ESCAPE}[ -~]?`,
  "g",
);
const CONTROL = /\p{Cc}|[\u2028\u2029]|\p{Bidi_Control}/gu;
const CHECK_POINT = /\bCHECK_POINT\|/;

/** Removes what could steer a terminal or a page; keeps the text and the known colours. */
function clean(line: string): string {
  let result = "";
  let from = 0;
  for (const match of line.matchAll(COLOUR)) {
    result += cleanText(line.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return result + cleanText(line.slice(from));
}

function cleanText(text: string): string {
  return (
    text
      .replace(ANY_SEQUENCE, "")
      .replace(CONTROL, " ")
      // The dashboard puts lines into its page as raw HTML, and peers choose part of the text.
      .replaceAll("<", "‹")
      .replaceAll(">", "›")
  );
}

/**
 * The lines of a `log` event as they may leave the master: one per entry, without check points,
 * control characters, markup and overlength.
 */
export function presentableLines(text: string): string[] {
  return text
    .slice(0, MAX_LOG_LINE * MAX_LINES)
    .split(/\r\n|\r|\n/, MAX_LINES)
    .filter((line) => line.trim() !== "" && !CHECK_POINT.test(line))
    .map((line) => {
      const short = line.length > MAX_LOG_LINE ? `${line.slice(0, MAX_LOG_LINE - 1)}…` : line;
      return clean(short);
    });
}
