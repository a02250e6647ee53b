/**
 * What is wrong with one part of a URL or one environment variable. Stable: callers match on it.
 * README.md says what each one means.
 */
export type UrlProblemCode =
  | "MALFORMED"
  | "UNKNOWN_SCHEME"
  | "UNKNOWN_PARAMETER"
  | "INVALID_VALUE"
  | "MISSING"
  | "DUPLICATE"
  | "LOOP"
  | "UNSUPPORTED"
  /** Never an error: a warning of lenient reading. */
  | "NO_EFFECT";

/** One fault of a URL or of the environment. No field ever holds the tunnel key. */
export interface UrlProblem {
  readonly code: UrlProblemCode;
  /** Query key, environment variable, or part of the URL (`tunnel address`, `target address`, …). */
  readonly parameter: string;
  /** The value as written; `""` when there is none, `***` when it is secret. */
  readonly value: string;
  /** What would be accepted, in words. */
  readonly allowed: string;
  /** One line: the parameter, its value and what is allowed; lower case, no full stop. */
  readonly message: string;
  /** What lenient parsing took instead. */
  readonly taken?: string | undefined;
}

/** Stable: callers match on these. */
export type UrlConfigErrorCode = "INVALID_URL" | "INVALID_ENVIRONMENT" | "INVALID_DURATION";

/** A URL, an environment or a duration that can't be used; `problems` lists all that is wrong. */
export class UrlConfigError extends Error {
  override readonly name = "UrlConfigError";
  readonly code: UrlConfigErrorCode;
  readonly problems: readonly UrlProblem[];

  constructor(code: UrlConfigErrorCode, problems: readonly UrlProblem[], options?: ErrorOptions) {
    super(summarise(problems), options);
    this.code = code;
    this.problems = problems;
  }
}

const mostMessages = 20;

function summarise(problems: readonly UrlProblem[]): string {
  const messages = problems.slice(0, mostMessages).map(({ message }) => message);
  const rest = problems.length - messages.length;
  return [...messages, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}

const longestQuotedCharacters = 120;

/** Puts a value into a message: quoted, control characters escaped, cut when very long. */
export function quote(value: string): string {
  const cut =
    value.length > longestQuotedCharacters ? `${value.slice(0, longestQuotedCharacters)}…` : value;
  return JSON.stringify(cut);
}

/** Builds a problem whose message follows one pattern. */
export function urlProblem(
  code: UrlProblemCode,
  parameter: string,
  value: string,
  allowed: string,
  fault?: string | undefined,
): UrlProblem {
  const shown = value === "" ? "" : ` ${quote(value)}`;
  const wrong = fault ?? (value === "" ? "is empty" : "is not valid");
  const message = `${parameter}${shown} ${wrong}${allowed === "" ? "" : ` (allowed: ${allowed})`}`;
  return { code, parameter, value, allowed, message };
}
