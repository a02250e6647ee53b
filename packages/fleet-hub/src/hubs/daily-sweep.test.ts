import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { sweepDaily } from "./daily-sweep.ts";

const MINUTE = 60_000;

test("an engine that is not trusted is neither swept nor given records, and is soon when it is", async () => {
  const time = new SimulatedTime();
  const done: string[] = [];
  let problem: string | undefined = "the engine is refused";
  const end = sweepDaily({
    sweep: async () => {
      done.push(`sweep at ${time.now / MINUTE}`);
      // It is replaced meanwhile, once.
      if (done.length === 1) problem = "the engine has not said yet what it is";
      return 1;
    },
    reseal: async () => done.push(`reseal at ${time.now / MINUTE}`),
    problem: () => problem,
    leadership: { isLeading: () => true },
    clock: new SimulatedClock(time),
    logger: SILENT_LOGGER,
  });
  await time.run(15 * MINUTE);
  expect(done).toEqual([]);
  problem = undefined;
  await time.run(25 * MINUTE);
  expect(done).toEqual(["sweep at 20"]);
  problem = undefined;
  await time.run(60 * MINUTE);
  expect(done.slice(1)).toEqual(["sweep at 30", "reseal at 30"]);
  await time.run(26 * 60 * MINUTE);
  expect(done.slice(3)).toEqual(["sweep at 1470", "reseal at 1470"]);
  end();
});
