import { readInstance } from "@nodepass/master-client";
import { expect, it } from "vitest";
import { createStyle } from "./colour.ts";
import { describeInstance } from "./show-instance.ts";

function shown(more: Readonly<Record<string, unknown>>): Record<string, string> {
  const instance = readInstance({ id: "1", type: "client", status: "running", ...more });
  if (instance === undefined) throw new Error("not read as an instance");
  return Object.fromEntries(describeInstance(instance, createStyle(false), {}));
}

it("names each target that rests, with its protocol and why", () => {
  const restingTargets = [
    { target: "127.0.0.1:81", protocol: "tcp", reason: "connection refused" },
    { target: "[::1]:82", protocol: "udp", reason: "no answer" },
  ];
  expect(shown({ restingTargets })["resting targets"]).toBe(
    "127.0.0.1:81 (tcp: connection refused), [::1]:82 (udp: no answer)",
  );
});

it("has no such line while all serve, and with a master that does not tell", () => {
  expect(shown({ restingTargets: [] })).not.toHaveProperty("resting targets");
  expect(shown({})).not.toHaveProperty("resting targets");
});

it("has a line for each of several peers", () => {
  const peers = [
    {
      number: 1,
      address: "192.0.2.1",
      connected: true,
      users: 9,
      tcps: 2,
      udps: 1,
      pool: 8,
      ping: 12,
    },
    { number: 2, address: "b.example:10102", connected: false, reason: "refused" },
  ];
  expect(shown({ peers })).toMatchObject({
    "peer 1": "192.0.2.1: 2 TCP, 1 UDP, 9 users so far, 8 ready, ping 12 ms",
    "peer 2": "b.example:10102: not connected (refused)",
  });
  expect(shown({})).not.toHaveProperty("peer 1");
});

it("tells running with its peer from running without", () => {
  expect(shown({ link: "up" }).link).toBe("with its peer");
  expect(shown({ link: "down" }).link).toBe("without its peer");
  expect(shown({ link: "none" })).not.toHaveProperty("link");
});
