import { InvalidArgumentError } from "commander";

/** Collects `name=value` of an option that may be given again. */
export function collectTag(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("allowed: name=value.");
  }
  return { ...previous, [name]: value };
}

/** Collects `name=value`, or `name` for any value. */
export function collectTagFilter(
  text: string,
  previous: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string | undefined>> {
  if (text.startsWith("=") || text === "") {
    throw new InvalidArgumentError("allowed: name or name=value.");
  }
  return { ...previous, ...(text.includes("=") ? collectTag(text) : { [text]: undefined }) };
}
