#!/usr/bin/env node
import { writeFileSync } from "node:fs";
/**
 * The trials of a fleet, each of one command:
 * node packages/fleet-hub/scripts/trials.mjs TRIAL [--OPTION VALUE …] [--to FILE]
 *
 * Without a name: the list, with each one's options and their values of the full form. Figures go to stdout
 * and, with --to, as JSON to a file. Ends with 1 if a mark was missed. Everything runs on loopback, with a
 * nats-server of its own, in processes that end with this one. Build first: hubs and members run from `dist`.
 */
import { registerHooks } from "node:module";

registerHooks({
  resolve: (name, context, next) => {
    const file = {
      "test-support/nats": "nats-server.ts",
      "test-support/loop-disk": "loop-disk.ts",
      "test-support": "reserve-port.ts",
    }[name];
    const path = `../../../scripts/test-support/${file}`;
    return next(file === undefined ? name : new URL(path, import.meta.url).href, context);
  },
});

const say = (line) => process.stdout.write(`${line}\n`);
const { TRIALS } = await import("../test/trials/trials.ts");
const [, , name, ...rest] = process.argv;
const trial = TRIALS[name];
if (trial === undefined) {
  for (const [each, { about, full }] of Object.entries(TRIALS)) {
    const options = Object.entries(full).map(([option, value]) => `--${option} ${value}`);
    say(`${each}: ${about}\n    ${options.join(" ")}`);
  }
  process.exit(name === undefined ? 0 : 2);
}
const options = { ...trial.full };
let to;
for (let at = 0; at < rest.length; at += 2) {
  const option = rest[at]?.replace(/^--/, "");
  if (option === "to") to = rest[at + 1];
  else if (option in options && Number.isFinite(Number(rest[at + 1])))
    options[option] = Number(rest[at + 1]);
  else {
    say(
      `${rest[at]} ${rest[at + 1] ?? ""}: ${name} takes numbers for ${Object.keys(options).join(", ")}`,
    );
    process.exit(2);
  }
}
const missing = trial.missing?.();
if (missing !== undefined) {
  say(`${name} can't be tried here: ${missing}`);
  process.exit(2);
}
const found = await trial.run(options);
for (const { what, mark, figure, passed } of found.marks) {
  say(`${passed ? " " : "!"} ${what.padEnd(64)} ${figure.padEnd(24)} ${mark}`);
}
say(`  load of the machine: ${found.load}`);
if (to !== undefined) writeFileSync(to, `${JSON.stringify({ ...found, options }, undefined, 2)}\n`);
process.exit(found.marks.every(({ passed }) => passed) ? 0 : 1);
