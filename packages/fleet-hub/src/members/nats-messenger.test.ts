import { createBoxKeys, openBox, PASS_TIMEOUT_MS } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import type { EngineLink } from "../engine/engine-link.ts";
import type { LivePresence } from "./live-presence.ts";
import { createMessageCounts } from "./message-counts.ts";
import { createOutbox } from "./nats-messenger.ts";
import type { MemberFacts } from "./presence.ts";
import { unavailable } from "./why-unavailable.ts";

const MID = "00000000000000a1";

test("a member has time to say itself that its API is late, before it is given up", async () => {
  const waits: number[] = [];
  const late = async (_subject: string, _body: Uint8Array, { timeout }: { timeout: number }) => {
    waits.push(timeout);
    throw Object.assign(new Error("timeout"), { name: "TimeoutError" });
  };
  const connection = { request: late, subscribe: () => ({ unsubscribe: () => undefined }) };
  const box = openBox({
    own: createBoxKeys(),
    peerPublicKey: createBoxKeys().publicKey,
    side: "hub",
  });
  const outbox = createOutbox({
    fleet: "demo",
    link: { demand: () => connection, onChange: () => () => undefined } as unknown as EngineLink,
    boxes: { of: () => box },
    presence: { facts: () => ({ session: "0".repeat(16) }) } as unknown as LivePresence,
    nameOf: () => "edge",
    budget: { take: () => true },
    counts: createMessageCounts(),
    logger: SILENT_LOGGER,
  });
  const asked = outbox.api(
    MID,
    {
      ...{ method: "GET", path: "/api/info", headers: [], body: new Uint8Array(0) },
      ...{ access: "admin", remote: "", stream: "ab", credit: 1 },
    },
    () => undefined,
  );
  await expect(asked).rejects.toThrow("master edge did not answer in time");
  expect(waits).toHaveLength(1);
  expect(waits[0]).toBeGreaterThan(PASS_TIMEOUT_MS + 1000);
});

test("of a member that is gone it is said since when", () => {
  const gone = new Error("no responders");
  const heardAtWall = Date.UTC(2026, 0, 2);
  const why = (facts: Partial<MemberFacts>, error = gone) =>
    unavailable("master edge", { status: "online", ...facts } as MemberFacts, error).message;
  expect(why({ status: "lost", heardAtWall })).toBe(
    "master edge is lost since 2026-01-02T00:00:00.000Z, its last word",
  );
  expect(why({ status: "late" })).toBe(
    "master edge is late and this hub has not heard of it since it began",
  );
  expect(why({ heardAtWall })).toContain("is not connected to the engine since 2026-01-02");
  const slow = Object.assign(new Error("timeout"), { name: "TimeoutError" });
  expect(why({ heardAtWall }, slow)).toBe("master edge did not answer in time");
});
