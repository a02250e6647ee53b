import { expect, it } from "vitest";
import { killLoop } from "./support/kill-loop.ts";
import { startMaster, temporaryFolder } from "./support/run-master.ts";

/** `test/soak/kill-master.sh` asks for more. */
const kills = Number(process.env.NODEPASS_TEST_KILLS ?? 20);

it(`keeps every acknowledged change over ${kills} kills`, { timeout: kills * 6000 }, async () => {
  const state = temporaryFolder();
  const { faults, ...figures } = await killLoop(kills, () => startMaster(state));
  expect(faults).toEqual([]);
  expect(figures.acknowledged).toBeGreaterThan(kills);
  console.info(figures);
});
