import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs vitest with the reporter on one test file. @returns its last lines */
async function runTests(source: string): Promise<{ code: number; output: string }> {
  // Inside the checkout, so that `vitest` is found.
  const folder = mkdtempSync(join(root, "node_modules/.nodepass-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    join(folder, "one.test.js"),
    `import { test, describe, beforeAll } from "vitest";\n${source}`,
  );
  writeFileSync(
    join(folder, "vitest.config.js"),
    `import CountReporter from ${JSON.stringify(join(root, "scripts/count-reporter.ts"))};
export default { test: { exclude: [], reporters: [new CountReporter()], onConsoleLog: () => false } };`,
  );
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const argv = [vitest, "run", "--root", folder, "--config", join(folder, "vitest.config.js")];
  const { VITEST: _vitest, ...env } = process.env;
  const run = promisify(execFile)(process.execPath, argv, { env });
  return run.then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, output: error.stdout }),
  );
}

it("counts a suite whose hook fails", async () => {
  const { code, output } = await runTests(`
    test("good", () => {});
    describe("suite", () => {
      beforeAll(() => { throw new Error("no"); });
      test("never", () => {});
    });`);
  expect(code).toBe(1);
  expect(output).toMatch(/^1 passed, 1 failed, 1 skipped\n$/m);
});

it("counts a file that does not load and an error outside of all tests", async () => {
  expect((await runTests(`throw new Error("no");`)).output).toMatch(/^0 passed, 1 failed\n$/m);
  const late = `test("good", () => { void Promise.reject(new Error("lost")); });`;
  expect((await runTests(late)).output).toMatch(/^1 passed, 1 failed\n$/m);
});

it("prints what tests printed at the end, each line once", async () => {
  const { code, output } = await runTests(`test("figure", () => console.info("12 MB/s"));
    test("again", () => console.info("12 MB/s"));`);
  expect(code).toBe(0);
  expect(output).toMatch(/Printed by tests:\n12 MB\/s\n\n2 passed, 0 failed\n$/);
});
