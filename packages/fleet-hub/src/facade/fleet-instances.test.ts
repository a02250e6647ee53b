import { expect, test } from "vitest";
import type { Caller } from "../fleet.ts";
import type { MemberFacts } from "../members/presence.ts";
import { pageOfInstances } from "./fleet-instances.ts";

const caller: Caller = { token: "t", role: "admin", selector: [], from: "" };

test("a page waits for silent members no longer than it has time, and names them", async () => {
  const members = Array.from({ length: 600 }, (_, n) => ({
    mid: (n + 1).toString(16).padStart(16, "0"),
    name: `m${n}`,
  }));
  let asked = 0;
  const asker = {
    presence: { facts: () => ({ status: "late", prefix: "/api" }) as MemberFacts },
    passer: {
      pass: ({
        mid,
        signal,
      }: {
        readonly mid: string;
        readonly signal?: AbortSignal | undefined;
      }) => {
        asked += 1;
        if (mid === members[0]?.mid) return Promise.resolve(Response.json([]));
        return new Promise<Response>((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
        });
      },
    },
  };
  const query = { cursor: undefined, status: undefined };
  const page = await pageOfInstances(asker, members, query, caller, 30);
  expect(page).toMatchObject({ instances: [], cursor: null });
  expect(page.missing).toEqual(members.slice(1).map(({ mid }) => mid));
  // Whose turn did not come is not asked any more.
  expect(asked).toBe(32);
});
