import { z } from "zod";

/** How a number that was given wrongly is shown; other kinds of values may be secrets. */
const shown = (input: unknown) => (typeof input === "number" ? String(input) : `a ${typeof input}`);

/** A whole number in a range; what is refused is named, with the range. */
export function wholeNumber(least: number, most: number) {
  const error = ({ input }: { readonly input?: unknown }) =>
    input === undefined
      ? undefined
      : `${shown(input)} is not a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** What a body may have: a field that is not known is a slip, and would be lost without a word. */
export function givenObject<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: unknownFields(shape) });
}

/** The error of a strict object: names the fields that it does not know, and those that it does. */
function unknownFields(shape: object) {
  return (issue: {
    readonly code?: string | undefined;
    readonly keys?: readonly string[] | undefined;
  }) => {
    if (issue.code !== "unrecognized_keys" || issue.keys === undefined) return undefined;
    const names = issue.keys.slice(0, 3).map((name) => JSON.stringify(name.slice(0, 40)));
    return `${names.join(", ")} is not known here (allowed: ${Object.keys(shape).join(", ")})`;
  };
}
