import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { expect, it } from "vitest";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { Stored } from "../store/fleet-store.ts";
import { demandRoom, MAX_SERVICES } from "./room.ts";

const part = { role: "client", from: null, to: null, epoch: 1, running: true, url: "", sel: "" };
const ownedBy = (...owners: readonly (string | null)[]) =>
  ({ parts: owners.map((owner) => ({ ...part, owner, home: null, adopt: null })) }) as Pick<
    ServiceRecord,
    "parts"
  >;

function fleet(services: number, held: Readonly<Record<string, number>> = {}) {
  const one = { value: {} as ServiceRecord, revision: 1 };
  const member = { value: { name: "edge" } as MemberRecord, revision: 1 };
  const index: Pick<FleetIndex, "services" | "members" | "ownedBy"> = {
    services: new Map(Array.from({ length: services }, (_, n) => [String(n), one])),
    members: new Map<string, Stored<MemberRecord>>([["a", member]]),
    ownedBy: (mid) => Array.from({ length: held[mid] ?? 0 }, () => ({ sid: "", part: 0 })),
  };
  return index;
}

it("there is room for 100,000 services, and for no more", () => {
  expect(() => demandRoom(fleet(MAX_SERVICES - 1), [ownedBy("a")])).not.toThrow();
  expect(() => demandRoom(fleet(MAX_SERVICES), [ownedBy("a")])).toThrow(
    "the fleet has 100000 services, and no room for one more (at most 100000)",
  );
  expect(() => demandRoom(fleet(MAX_SERVICES - 1), [ownedBy(), ownedBy()])).toThrow("for 2 more");
});

it("a member has room for 500 parts of the fleet's, counted over all that are to be made", () => {
  expect(() => demandRoom(fleet(1, { a: 499, b: 500 }), [ownedBy("a", null)])).not.toThrow();
  expect(() => demandRoom(fleet(1, { a: 500 }), [ownedBy("b"), ownedBy("c", "a")])).toThrow(
    "master edge has 500 parts of services, and no room for 1 more (at most 500)",
  );
  expect(() => demandRoom(fleet(1, { b: 498 }), Array(3).fill(ownedBy("b")))).toThrow(
    "master b has 498 parts of services, and no room for 3 more",
  );
});
