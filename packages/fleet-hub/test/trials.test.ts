import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findNatsServer } from "test-support/nats";
import { describe, expect, it } from "vitest";
import { TRIALS } from "./trials/trials.ts";

const here =
  findNatsServer() === undefined || process.platform !== "linux" ? describe.skip : describe;
/** How long and how much depends on who else is at work here: those are for the full form, by its command. */
const IS_MEASURED = /^(?:<|$)/;

const possible = Object.entries(TRIALS).filter(([name, { missing }]) => {
  const why = missing?.();
  if (why !== undefined) console.log(`the trial ${name} is left out: ${why}`);
  return why === undefined;
});

// Hubs and members are processes of their own, and run what is built.
here("the short form of", () => {
  it.each(possible)(
    "%s shows what the full one does",
    async (_name, trial) => {
      const { marks } = await trial.run(trial.short as never);
      expect(marks.length).toBeGreaterThan(0);
      const counted = marks.filter(({ mark }) => !IS_MEASURED.test(mark));
      expect(counted.filter(({ passed }) => !passed)).toEqual([]);
      for (const { figure } of marks) expect(figure).not.toMatch(/NaN|Infinity/);
    },
    120_000,
  );
});

it("docs/fleet.md has a command for each trial", () => {
  const text = readFileSync(
    fileURLToPath(new URL("../../../docs/fleet.md", import.meta.url)),
    "utf8",
  );
  for (const name of Object.keys(TRIALS)) {
    expect(text).toContain(`packages/fleet-hub/scripts/trials.mjs ${name}`);
  }
});
