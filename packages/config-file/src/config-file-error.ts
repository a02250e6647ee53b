/** Stable: callers match on these. README.md says what each one means. */
export type ConfigFileErrorCode = "CONFIG_INVALID" | "CONFIG_UNREADABLE";

/** One fault of a configuration. No field ever holds a key. */
export interface ConfigProblem {
  /** The file as it was named by the caller, or found in the folder that was. */
  readonly file: string;
  /** From 1; `undefined` where the fault has no place in the file (it can't be read). */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Where in the structure, such as `tunnels.web.rate`; empty for the whole file. */
  readonly path: string;
  /** What is wrong, with the value and what is allowed; one line. */
  readonly message: string;
}

const MOST_MESSAGES = 20;

/** A configuration that can't be used; `problems` lists all that is wrong, in order of the files. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
  readonly code: ConfigFileErrorCode;
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigFileErrorCode, problems: readonly ConfigProblem[]) {
    const lines = problems.slice(0, MOST_MESSAGES).map(formatProblem);
    const rest = problems.length - lines.length;
    super([...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n"));
    this.code = code;
    this.problems = problems;
  }
}

/**
 * One line, `file:line:column: path: message`, as compilers and editors have it.
 *
 * @example
 * for (const problem of error.problems) console.error(formatProblem(problem));
 */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, message } = problem;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}
