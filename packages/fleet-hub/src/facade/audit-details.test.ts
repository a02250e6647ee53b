import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { MoveSchema, NewServiceSchema } from "@nodepass/model/fleet";
import { expect, it } from "vitest";
import {
  describeChange,
  describeMove,
  describeNewService,
  describeParts,
} from "./audit-details.ts";

const NAMES = new Map([["a1", "edge"]]);
const nameOf = (mid: string) => NAMES.get(mid) ?? mid;

const RECORD: ServiceRecord = {
  v: 1,
  alias: "web",
  tags: {},
  policy: { failover: "off", ttl: 15, failback: "never" },
  by: "t",
  at: 1,
  detached: false,
  parts: [
    {
      ...{ role: "server", owner: "a1", from: null, to: null, epoch: 1, running: true },
      ...{ url: "server://key@:1/127.0.0.1:2", sel: "", home: null, adopt: null },
    },
    {
      ...{ role: "client", owner: null, from: "a1", to: "b2", epoch: 1, running: false },
      ...{ url: "client://key@h:1/127.0.0.1:3", sel: "site=home", home: null, adopt: null },
    },
  ],
};

it("tells start, stop, another URL and another key apart", () => {
  const told = (change: Parameters<typeof describeChange>[1]) => describeChange(RECORD, change);
  expect(told({ parts: [{ role: "server", running: false }] })).toBe("web, server: stop");
  expect(told({ parts: [{ role: "client", running: true }] })).toBe("web, client: start");
  expect(told({ parts: [{ role: "server", url: "server://key@:1/127.0.0.1:9" }] })).toBe(
    "web, server: server://***@:1/127.0.0.1:2 -> server://***@:1/127.0.0.1:9",
  );
  expect(told({ parts: [{ role: "server", url: "server://other@:1/127.0.0.1:2" }] })).toBe(
    "web, server: another key",
  );
  // What is given as it is, as by PUT, is no change.
  expect(told({ alias: "web", tags: {}, policy: RECORD.policy, parts: [] })).toBe("web");
  expect(
    told({
      alias: "site",
      tags: { a: "b" },
      policy: { failover: "strict", ttl: 15 },
      parts: [{ role: "client", selector: "" }],
    }),
  ).toBe(
    'web, alias site, tags {"a":"b"}, failover off -> strict, client: selector "site=home" -> ""',
  );
});

it("says of what is new or moved where it is to be, and where it was and is", () => {
  const service = NewServiceSchema.parse({
    alias: "web",
    policy: { failover: "serve" },
    parts: [
      { url: "server://key@:auto/127.0.0.1:2", master: "edge" },
      { url: "client://auto/127.0.0.1:2", selector: "site=home", running: false },
    ],
  });
  expect(describeNewService(service)).toBe(
    "web, server server://***@:auto/127.0.0.1:2 on edge, client client://auto/127.0.0.1:2 on site=home stopped, failover serve 15 s, failback never",
  );
  const move = MoveSchema.parse({ part: "server", to: "spare", force: true });
  expect(describeMove(RECORD, move, nameOf)).toBe("web, server from edge to spare, by force");
  expect(describeMove(RECORD, MoveSchema.parse({ part: "client" }), nameOf)).toBe(
    "web, client from nobody to site=home",
  );
  expect(describeParts(RECORD, nameOf)).toBe(
    "server server://***@:1/127.0.0.1:2 on edge, client client://***@h:1/127.0.0.1:3 on its way to b2 stopped",
  );
});
