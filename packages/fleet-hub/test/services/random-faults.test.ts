import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { happening, heal, live } from "../support/sim/random-life.ts";

describe("services under random faults", () => {
  const runs = Number(process.env.FLEET_RUNS ?? 12);

  it("has never two strict owners that serve, rising epochs, whole pairs, and heals", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.array(happening, { minLength: 5, maxLength: 25 }),
        async (seed, events) => {
          const world = await live(seed, events);
          try {
            expect(world.broken).toEqual([]);
            await heal(world);
            expect(world.broken).toEqual([]);
            for (const sid of world.store.services.keys()) {
              const record = world.record(sid);
              for (const [at, part] of record?.parts.entries() ?? []) {
                expect({ sid, ...part }).toMatchObject({ from: null, to: null });
                // What the last owner said it can't start is not tried for ever.
                const said = world.hub().presence.report(sid, at);
                if (said?.outcome === "failed") continue;
                expect({ sid, at, serving: world.serving(sid, at) }).toEqual({
                  sid,
                  at,
                  serving: [world.byMid(part.owner).name],
                });
              }
            }
          } finally {
            world.close();
          }
        },
      ),
      {
        numRuns: runs,
        // Smaller examples cost minutes: only when somebody wants one.
        endOnFailure: process.env.FLEET_SHRINK === undefined,
        ...(process.env.FLEET_SEED ? { seed: Number(process.env.FLEET_SEED) } : {}),
      },
    );
  }, 600_000);
});
