/**
 * Copies the plain JavaScript of msgpackr into `dist/msgpackr`, with its licence.
 *
 * As a dependency it would bring `msgpackr-extract` to whoever installs with npm: native code, and
 * an install script. A state file is small; the plain part is all that it needs.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const from = join(dirname(createRequire(import.meta.url).resolve("msgpackr")), "..");
const to = fileURLToPath(new URL("../dist/msgpackr/", import.meta.url));

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
