// Puts the files of the documentation page into dist/, so that the published package needs no
// Swagger UI at run time.
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const target = new URL("../dist/docs/swagger-ui/", import.meta.url);
const assets = new URL("../dist/docs/assets.js", import.meta.url);
const { SWAGGER_FILES } = await import(assets.href);

mkdirSync(target, { recursive: true });
// The licence texts go along: Apache-2.0 asks for it.
for (const file of [
  ...Object.keys(SWAGGER_FILES),
  "swagger-ui-bundle.js.LICENSE.txt",
  "LICENSE",
  "NOTICE",
]) {
  copyFileSync(require.resolve(`swagger-ui-dist/${file}`), new URL(file, target));
}
