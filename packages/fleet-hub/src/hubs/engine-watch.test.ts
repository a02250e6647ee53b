import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { type EngineTrust, watchEngine } from "./engine-watch.ts";

function fakeLink() {
  let isConnected = true;
  let tell: (connected: boolean) => void = () => undefined;
  return {
    isConnected: () => isConnected,
    onChange: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
    turn: (connected: boolean) => {
      isConnected = connected;
      tell(connected);
    },
  };
}

test("what is replaced before there is somebody to tell is not trusted, and told when there is", async () => {
  const time = new SimulatedTime();
  const [link, system] = [fakeLink(), fakeLink()];
  const trust: EngineTrust = { problem: undefined };
  const first = { servers: [], size: 1 };
  let why: string | undefined = "the engine is refused: n1 writes to the disk every 120 s";
  const watch = watchEngine({
    ...{ link, system, trust, first, clock: new SimulatedClock(time), logger: SILENT_LOGGER },
    control: {
      check: async () => {
        if (why !== undefined) throw new Error(why);
        return { ...first, size: 3 };
      },
    },
  });
  link.turn(false);
  expect(trust.problem).toBe("the engine has not said yet what it is");
  link.turn(true);
  await time.run(100);
  expect(trust.problem).toBe(why);
  const told: unknown[] = [];
  watch.tellTo({ alarm: (...alarm) => void told.push(alarm) });
  expect(told).toEqual([["engine", true, why]]);
  why = undefined;
  await time.run(10_000);
  expect(trust.problem).toBeUndefined();
  expect(told.at(-1)).toEqual(["engine", false, "the engine is there again"]);
  expect(watch.facts().size).toBe(3);
  watch.close();
});
