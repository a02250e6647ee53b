import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../scripts/reload-trial.mjs", import.meta.url));

// The whole trial is 1,000 reloads: node apps/cli/scripts/reload-trial.mjs
it("loses no connection over 100 reloads under load, and holds no more afterwards", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    "--reloads",
    "100",
  ]).catch((error: { readonly stdout: string; readonly stderr: string }) => ({
    stdout: `${error.stdout}\n${error.stderr}`,
  }));
  expect(stdout).toMatch(/\nlost: none\n/);
  expect(stdout).not.toContain("grown");
}, 240_000);
