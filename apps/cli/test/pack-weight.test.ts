import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectPlain,
  installedIn,
  installWithNpm,
  packAll,
  workspaceClosure,
} from "./support/pack.ts";

/** Of the first release, measured in the same way: 26 packages, 20 MB. Half of that is the bound. */
const MOST_PACKAGES = 13;
const MOST_BYTES = 10_000_000;

describe("@nodepass/tunnel-core, installed with plain npm", () => {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-weight-"));

  beforeAll(async () => {
    writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}\n');
    const packed = join(folder, "packed");
    mkdirSync(packed);
    await installWithNpm(folder, await packAll(workspaceClosure("@nodepass/tunnel-core"), packed));
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("brings no native code and no install script", () => expectPlain(installedIn(folder)));

  it("weighs half of the first release or less", async () => {
    const { packages, files } = installedIn(folder);
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    expect(packages.length).toBeLessThanOrEqual(MOST_PACKAGES);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
    // A figure, no bound: how long an import takes is the machine's matter.
    const timed = `
      const start = performance.now();
      const { createSelfSignedCertificate } = await import("@nodepass/tunnel-core");
      const imported = performance.now();
      await createSelfSignedCertificate();
      const made = performance.now();
      console.log(JSON.stringify({ importMs: imported - start, certificateMs: made - imported }));`;
    const args = ["--input-type=module", "--eval", timed];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    const figures = { packages: packages.length, bytes, ...JSON.parse(stdout) };
    const report = process.env.NODEPASS_FIGURES;
    if (report !== undefined) writeFileSync(report, `${JSON.stringify(figures)}\n`, { flag: "a" });
    expect(figures).toMatchObject({ importMs: expect.any(Number) });
  });
});
