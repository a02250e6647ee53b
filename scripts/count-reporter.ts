import type { UserConsoleLog } from "vitest";
import type { Reporter, TestModule, TestSuite } from "vitest/node";

/**
 * Ends a run with what tests have printed, such as figures, and the line `N passed, N failed` that
 * continuous integration reads. What fails before its tests is a failure too: a file that does not
 * load, a hook of a suite, an error outside of all tests.
 */
export default class CountReporter implements Reporter {
  // What several files say alike (that a program is missing) is said once.
  readonly #printed = new Set<string>();

  onUserConsoleLog({ content }: UserConsoleLog): void {
    this.#printed.add(content.trimEnd());
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[] = []): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      if (module.errors().length > 0) failed++;
      for (const suite of module.children.allSuites()) if (hasFailed(suite)) failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else skipped++;
      }
    }
    const lines = [...this.#printed].join("\n");
    if (lines !== "") process.stdout.write(`\nPrinted by tests:\n${lines}\n\n`);
    process.stdout.write(
      `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
    );
  }
}

/** Whether the suite itself failed, not one of its tests. */
function hasFailed(suite: TestSuite): boolean {
  return suite.errors().length > 0;
}
