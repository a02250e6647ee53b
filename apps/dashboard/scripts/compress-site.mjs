// Puts `.br` and `.gz` beside each file of the built dashboard, so that a master compresses nothing.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = new URL("../dist/site/assets/", import.meta.url);
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };

for (const name of readdirSync(folder).filter((each) => /\.(?:js|css|svg)$/.test(each))) {
  const bytes = readFileSync(new URL(name, folder));
  writeFileSync(new URL(`${name}.br`, folder), brotliCompressSync(bytes, brotli));
  writeFileSync(new URL(`${name}.gz`, folder), gzipSync(bytes, { level: 9 }));
}
