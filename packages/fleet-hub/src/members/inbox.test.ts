import {
  type Box,
  createBoxKeys,
  memberSubjects,
  openBox,
  type Synced,
  sealMessage,
} from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EngineLink } from "../engine/engine-link.ts";
import { openInbox } from "./inbox.ts";
import type { LivePresence } from "./live-presence.ts";
import { createMessageCounts } from "./message-counts.ts";
import { createSaidNow } from "./said-now.ts";

const MID = "00000000000000a1";
const RUN = "0".repeat(16);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** An inbox behind a connection that has only its subscriptions, and a member that seals for it. */
function setUp() {
  type Callback = (error: Error | null, message: object) => void;
  const subscribed: { subject: string; callback: Callback; queue?: string }[] = [];
  const connection = {
    subscribe: (subject: string, options: { callback: Callback; queue?: string }) => {
      subscribed.push({ subject, ...options });
      return { unsubscribe: () => undefined };
    },
    publish: () => undefined,
  };
  const [hubKeys, memberKeys] = [createBoxKeys(), createBoxKeys()];
  const hubBox = openBox({ own: hubKeys, peerPublicKey: memberKeys.publicKey, side: "hub" });
  const box: Box = openBox({ own: memberKeys, peerPublicKey: hubKeys.publicKey, side: "member" });
  const counts = createMessageCounts();
  const charged: string[] = [];
  let answers = 0;
  const inbox = openInbox({
    ...{ fleet: "demo", link: { connection } as unknown as EngineLink, counts },
    ...{ logger: SILENT_LOGGER, run: RUN, runs: () => [RUN], saidNow: createSaidNow() },
    boxes: { of: () => hubBox },
    presence: {
      synced: () => undefined,
      heartbeat: () => ({}),
      facts: () => ({}),
    } as unknown as LivePresence,
    budget: {
      take: (_mid, _bytes, what = "words") => charged.push(what) > 0,
      forget: () => undefined,
    },
    answerSync: (): Synced => {
      answers += 1;
      return { answer: "busy", afterMs: 1 };
    },
    isWelcome: () => true,
    onHeartbeat: () => undefined,
  });
  const { sync, event } = memberSubjects("demo", MID);
  const body = { session: RUN, version: "", name: "", allow: [], revision: 0, bucket: "" };
  const sealedSync = () =>
    sealMessage(box, sync, { ...body, parts: [], local: 0, prefix: "/api", runs: [RUN] });
  /** @param copy for each hub, or for the one that answers */
  const say = (subject: string, data: Uint8Array, copy: "each" | "one" = "each") => {
    for (const one of subscribed) {
      if (one.subject.replace("*", MID) !== subject) continue;
      if ((one.queue === undefined) === (copy === "each")) one.callback(null, { subject, data });
    }
  };
  return { inbox, counts, charged, say, sealedSync, sync, event, answers: () => answers };
}

test("a sync that comes twice is charged once; what can't be read, each time", () => {
  const { inbox, counts, charged, say, sealedSync, sync, event, answers } = setUp();
  const sealed = sealedSync();
  say(sync, sealed);
  say(sync, sealed, "one");
  expect([counts.syncs, answers(), charged.splice(0)]).toEqual([1, 1, ["words"]]);
  // Nobody has it charged less by saying it again.
  say(sync, sealed);
  say(sync, sealed, "one");
  expect([counts.syncs, counts.bad.sync, charged.splice(0)]).toEqual([1, 2, ["words", "words"]]);
  say(sync, new Uint8Array(3));
  say(sync, new Uint8Array(3), "one");
  expect([counts.bad.sync, charged.splice(0)]).toEqual([4, ["words", "words"]]);
  say(event, new Uint8Array(3));
  expect(charged).toEqual(["events"]);
  inbox.close();
});

test("a sync whose second copy goes to another hub is not kept", async () => {
  const { inbox, counts, charged, say, sealedSync, sync, answers } = setUp();
  const [first, second] = [sealedSync(), sealedSync()];
  say(sync, first);
  await vi.advanceTimersByTimeAsync(5000);
  say(sync, second);
  await vi.advanceTimersByTimeAsync(5000);
  expect(vi.getTimerCount()).toBe(1);
  say(sync, first, "one");
  // It is as one that was never opened: its box has been seen.
  expect([counts.syncs, counts.bad.sync, answers(), charged.length]).toEqual([2, 1, 0, 3]);
  say(sync, second, "one");
  expect([counts.bad.sync, answers()]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.getTimerCount()).toBe(0);
  inbox.close();
});
