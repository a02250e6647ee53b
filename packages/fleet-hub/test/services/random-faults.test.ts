import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { happening, heal, live, unwell } from "../support/sim/random-life.ts";

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
            // With words that are late by seconds, the shortest leases have gaps: at some moment all is well.
            for (let tries = 0; tries < 60 && unwell(world).length > 0; tries += 1) {
              await world.time.pass(1000);
            }
            expect(unwell(world)).toEqual([]);
            expect(world.broken).toEqual([]);
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
