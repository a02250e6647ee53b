/**
 * Copies the plain JavaScript of msgpackr into `dist/msgpackr` of the package that is built, with its
 * licence.
 *
 * As a dependency it would bring `msgpackr-extract` to whoever installs with npm: native code, and
 * an install script. State files and messages of a fleet are small; the plain part is all that they
 * need.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const here = process.cwd();
const from = join(dirname(createRequire(join(here, "package.json")).resolve("msgpackr")), "..");
const to = join(here, "dist/msgpackr");

mkdirSync(to, { recursive: true });
for (const file of ["pack.js", "unpack.js", "LICENSE"]) {
  copyFileSync(join(from, file), join(to, file));
}
const { name, version, license } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
// Without a `type` of its own the copy would follow the package around it.
writeFileSync(
  join(to, "package.json"),
  `${JSON.stringify({ name, version, license, type: "module" })}\n`,
);
