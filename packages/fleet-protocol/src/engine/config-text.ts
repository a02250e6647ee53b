import { FleetSetupError } from "../setup-error.ts";

/** A value of nats-server's configuration. Texts are quoted, so that none becomes a number, size or variable. */
export type ConfigValue =
  | string
  | number
  | boolean
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue | undefined };

/**
 * Writes a block's lines; what is `undefined` is left out.
 *
 * @throws {FleetSetupError} `INVALID_OPTIONS` for a text with control characters, which a file or
 * address has no use for
 */
export function configText(block: { readonly [key: string]: ConfigValue | undefined }): string {
  return lines(block, "");
}

function lines(block: { readonly [key: string]: ConfigValue | undefined }, indent: string): string {
  let text = "";
  for (const [key, value] of Object.entries(block)) {
    if (value === undefined) continue;
    // A block has no colon, as in the server's own examples.
    const colon = isBlock(value) ? "" : ":";
    text += `${indent}${key}${colon} ${valueText(value, indent)}\n`;
  }
  return text;
}

function valueText(value: ConfigValue, indent: string): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (isBlock(value)) return `{\n${lines(value, `${indent}  `)}${indent}}`;
  return `[${value.map((one) => valueText(one, indent)).join(", ")}]`;
}

function isBlock(value: ConfigValue): value is { readonly [key: string]: ConfigValue | undefined } {
  return typeof value === "object" && !Array.isArray(value);
}

/** The server's own escapes in double quotes: only `\\`, `\"`, `\t`, `\n`, `\r` and `\xHH`. */
function quoted(text: string): string {
  for (const character of text) {
    if (character < " " || character === "\u007f") {
      throw new FleetSetupError(
        "INVALID_OPTIONS",
        `a control character in ${JSON.stringify(text)} cannot stand in the server's configuration`,
      );
    }
  }
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
