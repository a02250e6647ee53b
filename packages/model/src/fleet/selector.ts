import { isLabelName, isLabelValue } from "./labels.ts";

/** One condition of a selector. */
export interface SelectorTerm {
  readonly name: string;
  readonly is: "equal" | "unequal" | "present" | "absent";
  /** Empty for `present` and `absent`. */
  readonly value: string;
}

/** All of these hold. None: everything is selected. */
export type Selector = readonly SelectorTerm[];

/** Conditions of a selector at most. */
const MAX_SELECTOR_TERMS = 64;

/** A selector that can't be read; the message names the condition and what is allowed. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

/**
 * Reads `region=eu,tier!=free,fast,!busy`: conditions over labels, all of which must hold. The empty
 * text selects everything.
 *
 * @throws {SelectorError}
 */
export function parseSelector(text: string): Selector {
  if (text.trim() === "") return [];
  const terms = text.split(",");
  if (terms.length > MAX_SELECTOR_TERMS) {
    throw new SelectorError(`selector has more than ${MAX_SELECTOR_TERMS} conditions`);
  }
  return terms.map((term) => parseTerm(term.trim()));
}

function parseTerm(term: string): SelectorTerm {
  const unequal = term.indexOf("!=");
  const equal = term.indexOf("=");
  let read: SelectorTerm;
  if (unequal > 0) {
    read = { name: term.slice(0, unequal), is: "unequal", value: term.slice(unequal + 2) };
  } else if (equal > 0) {
    const value = term.slice(equal + (term.startsWith("==", equal) ? 2 : 1));
    read = { name: term.slice(0, equal), is: "equal", value };
  } else if (term.startsWith("!")) {
    read = { name: term.slice(1), is: "absent", value: "" };
  } else {
    read = { name: term, is: "present", value: "" };
  }
  const trimmed = { ...read, name: read.name.trim(), value: read.value.trim() };
  if (!isLabelName(trimmed.name) || !isLabelValue(trimmed.value)) {
    throw new SelectorError(
      `condition ${JSON.stringify(term.slice(0, 80))} is none of name=value, name!=value, name, !name`,
    );
  }
  return trimmed;
}

/** Whether a master with these labels is selected. */
export function isSelected(labels: Readonly<Record<string, string>>, selector: Selector): boolean {
  return selector.every((term) => holds(labels, term));
}

function holds(labels: Readonly<Record<string, string>>, { name, is, value }: SelectorTerm) {
  const present = Object.hasOwn(labels, name);
  if (is === "present") return present;
  if (is === "absent") return !present;
  const equal = present && labels[name] === value;
  return is === "equal" ? equal : !equal;
}
