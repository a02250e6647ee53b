/** Writes the lines of a manual page; `man`, man(7). Text is escaped, whatever it holds. */
export class Roff {
  readonly #lines: string[] = [];

  /** A line that is roff's own, as it is. */
  raw(line: string): this {
    this.#lines.push(line);
    return this;
  }

  section(title: string): this {
    return this.raw(`.SH ${escapeArgument(title.toUpperCase())}`);
  }

  subsection(title: string): this {
    return this.raw(`.SS ${escapeArgument(title)}`);
  }

  /** A paragraph for each line. */
  text(text: string): this {
    for (const line of text.split("\n")) if (line !== "") this.raw(".PP").raw(escapeText(line));
    return this;
  }

  /** A term and what is said of it. */
  item(term: string, said: string): this {
    return this.raw(".TP")
      .raw(`\\fB${escapeText(term)}\\fR`)
      .raw(escapeText(said) || "\\&");
  }

  /** Lines as they stand, such as commands. */
  example(text: string): this {
    this.raw(".PP").raw(".nf");
    for (const line of text.split("\n")) this.raw(line === "" ? "\\&" : escapeText(line));
    return this.raw(".fi");
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** A dash is a hyphen in roff, which nobody could copy; a full stop or a quote begins a request. */
function escapeText(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/[^\n\x20-\x7e]/g, (character) => `\\[u${codeOf(character)}]`)
    .replace(/^[.']/gm, "\\&$&");
}

function escapeArgument(text: string): string {
  return `"${escapeText(text).replaceAll('"', '""')}"`;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
