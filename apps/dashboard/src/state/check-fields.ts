import { parseTunnelUrl, UrlConfigError, type UrlProblem } from "@nodepass/url-config";

/** What is wrong with a URL, by the field that it is about. */
export interface FieldProblems {
  readonly all: readonly UrlProblem[];
  of(field: string): readonly UrlProblem[];
  /** What is about no field of the form: an unknown parameter, the text as a whole. */
  readonly others: readonly UrlProblem[];
}

const addresses = ["tunnel address", "target address", "tunnel key"];

/** Checks a URL as the command line does. */
export function checkFields(url: string, parameterNames: readonly string[]): FieldProblems {
  let all: readonly UrlProblem[] = [];
  try {
    parseTunnelUrl(url);
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    all = error.problems;
  }
  const known = new Set([...addresses, ...parameterNames]);
  return {
    all,
    of: (field) => all.filter(({ parameter }) => parameter === field),
    others: all.filter(({ parameter }) => !known.has(parameter)),
  };
}
