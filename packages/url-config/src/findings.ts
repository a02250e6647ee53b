import { UrlConfigError, type UrlConfigErrorCode, type UrlProblem } from "./url-problem.ts";

/** Collects what is wrong while a URL or an environment is read, so that all of it is reported. */
export interface Findings {
  /** True when what NodePass 1.14 overlooks is a warning instead of an error. */
  readonly lenient: boolean;
  readonly warnings: readonly UrlProblem[];
  /** Notes a fault that makes the whole unusable, in either reading. */
  fail(problem: UrlProblem): void;
  /**
   * Notes a fault that NodePass 1.14 overlooks: an error when strict, a warning when lenient.
   *
   * @param taken what is used instead, in words; goes into the warning
   */
  overlook(problem: UrlProblem, taken: string): void;
  /** @throws {UrlConfigError} with every fault noted so far, if there is one */
  throwIfFailed(): void;
}

/** Starts an empty collection. */
export function createFindings(code: UrlConfigErrorCode, lenient: boolean): Findings {
  const problems: UrlProblem[] = [];
  const warnings: UrlProblem[] = [];
  return {
    lenient,
    warnings,
    fail(problem) {
      problems.push(problem);
    },
    overlook(problem, taken) {
      if (lenient) {
        warnings.push({ ...problem, message: `${problem.message}: ${taken}`, taken });
      } else {
        problems.push(problem);
      }
    },
    throwIfFailed() {
      if (problems.length > 0) throw new UrlConfigError(code, problems);
    },
  };
}
