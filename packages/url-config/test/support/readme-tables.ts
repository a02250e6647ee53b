import { describeEnvironment, describeParameters } from "../../src/index.ts";

/** The README's tables as the parser's own tables give them. */
export function parameterRows(): string {
  return describeParameters()
    .map(({ name, schemes, defaultText, allowed, meaning }) =>
      row(`\`${name}\``, schemes.join(", "), code(defaultText), allowed, meaning),
    )
    .join("");
}

/** The same for the environment. */
export function environmentRows(): string {
  return describeEnvironment()
    .map(({ name, defaultText, allowed, meaning }) =>
      row(`\`${name}\``, code(defaultText), allowed, meaning),
    )
    .join("");
}

function code(text: string | undefined): string {
  return text === undefined ? "–" : `\`${text}\``;
}

function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}
