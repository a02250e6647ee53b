import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installWithNpm, packAll, workspaceClosure } from "./support/pack.ts";

/** Of the first release, measured in the same way: 26 packages, 20 MB. Half of that is the bound. */
const MOST_PACKAGES = 13;
const MOST_BYTES = 10_000_000;

interface Installed {
  readonly path: string;
  readonly hasInstallScript: boolean;
}

describe.each(["@nodepass/tunnel-core", "@nodepass/cli"])(
  "%s, installed with plain npm",
  (name) => {
    const folder = mkdtempSync(join(tmpdir(), "nodepass-weight-"));

    beforeAll(async () => {
      writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}\n');
      const packed = join(folder, "packed");
      mkdirSync(packed);
      await installWithNpm(folder, await packAll(workspaceClosure(name), packed));
    }, 300_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("brings no native code and no install script", () => {
      expect(packages().filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
      expect(packages().map(({ path }) => path)).not.toContain("node_modules/msgpackr-extract");
      expect(files().filter((file) => /\.node$|binding\.gyp$/.test(file))).toEqual([]);
    });

    it.runIf(name === "@nodepass/tunnel-core")(
      "weighs half of the first release or less",
      async () => {
        const bytes = files().reduce((sum, file) => sum + statSync(file).size, 0);
        expect(packages().length).toBeLessThanOrEqual(MOST_PACKAGES);
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
        const figures = { packages: packages().length, bytes, ...JSON.parse(stdout) };
        const report = process.env.NODEPASS_FIGURES;
        if (report !== undefined)
          writeFileSync(report, `${JSON.stringify(figures)}\n`, { flag: "a" });
        expect(figures).toMatchObject({ importMs: expect.any(Number) });
      },
    );

    it.runIf(name === "@nodepass/cli")(
      "has msgpackr's plain JavaScript, with its licence",
      async () => {
        const copy = join(folder, "node_modules/@nodepass/store/dist/msgpackr");
        expect(readdirSync(copy).sort()).toEqual([
          "LICENSE",
          "pack.js",
          "package.json",
          "unpack.js",
        ]);
        const { openStore } = await import(
          join(folder, "node_modules/@nodepass/store/dist/index.js")
        );
        expect(openStore).toBeTypeOf("function");
      },
    );

    /** Every package that npm has installed, as it wrote down itself. */
    function packages(): Installed[] {
      const lock: unknown = JSON.parse(
        readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8"),
      );
      const entries = (lock as { packages: Record<string, { hasInstallScript?: boolean }> })
        .packages;
      return Object.entries(entries).map(([path, { hasInstallScript = false }]) => ({
        path,
        hasInstallScript,
      }));
    }

    function files(): string[] {
      return readdirSync(join(folder, "node_modules"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    }
  },
);
