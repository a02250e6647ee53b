#!/usr/bin/env node
/**
 * Fuzzes every decoder: node --expose-gc packages/tunnel-core/scripts/fuzz.mjs
 *   [--cases N]    cases in all, shared out evenly (default 1000000)
 *   [--seed N]     first seed (default: a random one, printed)
 *   [--seconds N]  stops earlier, when this is over
 *   [--only NAME]  one decoder
 *
 * Exits with 1 and prints decoder, seed and bytes of the first case that raises anything but the
 * decoder's own error. Run with --expose-gc for the heap after a collection.
 */
import { parseArgs } from "node:util";
import { FUZZED_DECODERS } from "../test/trust/support/fuzz-decoders.ts";
import { fuzz } from "../test/trust/support/fuzz-run.ts";
import { stateDecoders } from "../test/trust/support/fuzz-state.ts";

const BATCH = 5000;
/** Growth of the heap that means a leak, MiB. */
const MAX_GROWTH_MIB = 32;

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    seconds: { type: "string" },
    only: { type: "string" },
  },
});
const write = (text) => process.stdout.write(`${text}\n`);
const heapMiB = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

const all = [...FUZZED_DECODERS, ...(await stateDecoders())];
const decoders = all.filter(({ name }) => values.only === undefined || name === values.only);
if (decoders.length === 0) throw new Error(`no decoder ${values.only}`);
const each = Math.ceil(Number(values.cases) / decoders.length);
const startedAt = performance.now();
const until = values.seconds && startedAt + Number(values.seconds) * 1000;
write(`seed ${values.seed}, ${each} cases for each of ${decoders.length} decoders`);

let total = 0;
let failed = false;
const before = heapMiB();
for (const [index, decoder] of decoders.entries()) {
  // With a time limit each decoder gets its share of what is left.
  const now = performance.now();
  const share = until && now + (until - now) / (decoders.length - index);
  let cases = 0;
  let refused = 0;
  let slowestMs = 0;
  let seed = Number(values.seed);
  try {
    while (cases < each && !(share && performance.now() > share)) {
      const run = fuzz(decoder, { seed, cases: Math.min(BATCH, each - cases), until: share });
      cases += run.cases;
      refused += run.refused;
      slowestMs = Math.max(slowestMs, run.slowestMs);
      seed++;
    }
  } catch (error) {
    failed = true;
    write(`FAILED ${error.message}\n  ${error.cause?.stack ?? error.cause}`);
  }
  total += cases;
  const seconds = ((performance.now() - now) / 1000).toFixed(1);
  write(
    `${decoder.name.padEnd(18)} ${String(cases).padStart(8)} cases, ${String(refused).padStart(8)} refused, slowest ${slowestMs.toFixed(1)} ms, ${seconds} s`,
  );
}
const growth = heapMiB() - before;
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
write(`${total} cases in ${seconds} s, heap ${growth >= 0 ? "+" : ""}${growth.toFixed(1)} MiB`);
if (growth > MAX_GROWTH_MIB) {
  failed = true;
  write(`FAILED the heap grew by more than ${MAX_GROWTH_MIB} MiB`);
}
process.exitCode = failed ? 1 : 0;
