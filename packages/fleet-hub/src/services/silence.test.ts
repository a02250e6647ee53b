import { expect, it } from "vitest";
import { SYNCED } from "../../test/support/member-facts.ts";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { createSilence } from "./silence.ts";

const TTL_MS = 10_000;

it("takes no master for lost while another hub may lead, nor by what came before this one led", async () => {
  const time = new SimulatedTime();
  let sure = true;
  let since = 0;
  const silence = createSilence(
    {
      clock: new SimulatedClock(time),
      leadership: {
        isLeading: () => true,
        isSure: () => sure,
        leadingSince: () => since,
        leader: () => undefined,
        onChange: () => () => undefined,
      },
    },
    { facts: () => ({ ...SYNCED, heardAt: 1000, sealedAt: 1000 }) },
  );
  await time.run(1000 + TTL_MS + 1000);
  expect(silence.isLost("A", TTL_MS)).toBe(false);
  await time.run(time.now + 1);
  expect(silence.isLost("A", TTL_MS)).toBe(true);
  sure = false;
  expect(silence.isLost("A", TTL_MS)).toBe(false);
  expect(silence.isSilent("A", TTL_MS)).toBe(true);
  sure = true;
  since = 5000;
  expect(silence.isLost("A", TTL_MS)).toBe(false);
  await time.run(since + TTL_MS + 1001);
  expect(silence.isLost("A", TTL_MS)).toBe(true);
});
