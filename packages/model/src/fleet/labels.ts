import { z } from "zod";
import { hasAtMostCharacters } from "../text-limits.ts";

/** Labels of a master at most. */
const MAX_LABELS = 64;
/** Characters of a label's name or value at most. */
const MAX_LABEL_CHARACTERS = 63;

/** Labels whose names begin so are set by admins only: for what tokens are bound by. */
export const ADMIN_LABEL_PREFIX = "np/";

const NAME = /^[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)?$/;

/** Whether a text can be a label's name: letters, digits and `-_./`, first and last a letter or digit. */
export function isLabelName(text: string): boolean {
  return hasAtMostCharacters(text, MAX_LABEL_CHARACTERS) && NAME.test(text);
}

/** Whether a text can be a label's value; the empty one can. */
export function isLabelValue(text: string): boolean {
  return hasAtMostCharacters(text, MAX_LABEL_CHARACTERS) && VALUE.test(text);
}

/** Names and values of a master's labels. */
export const LabelsSchema = z
  .record(z.string(), z.string())
  .superRefine((labels, context) => {
    const names = Object.keys(labels);
    if (names.length > MAX_LABELS) {
      context.addIssue({ code: "custom", message: `more than ${MAX_LABELS} labels` });
    }
    for (const [name, value] of Object.entries(labels)) {
      if (!isLabelName(name)) {
        context.addIssue({
          code: "custom",
          message: `label ${JSON.stringify(name.slice(0, 80))} is not 1 to ${MAX_LABEL_CHARACTERS} of letters, digits and -_./`,
        });
      } else if (!isLabelValue(value)) {
        context.addIssue({
          code: "custom",
          message: `value of label ${name} is not up to ${MAX_LABEL_CHARACTERS} of letters, digits and -_.`,
        });
      }
    }
  })
  .meta({ id: "Labels", maxProperties: MAX_LABELS, example: { region: "eu" } });
