import { beforeEach, expect, it } from "vitest";
import { WatchSchema } from "./messages/pass-through.ts";
import { type Box, boxIdOf, openBox } from "./seal/box.ts";
import { createBoxKeys } from "./seal/box-keys.ts";
import { answerContext, sessionContext } from "./seal/context.ts";
import { openMessage, sealMessage } from "./sealed-message.ts";

let hub: Box;
let member: Box;

beforeEach(() => {
  const [fleet, own] = [createBoxKeys(), createBoxKeys()];
  hub = openBox({ own: fleet, peerPublicKey: own.publicKey, side: "hub" });
  member = openBox({ own, peerPublicKey: fleet.publicKey, side: "member" });
});

it("carries a request and its answer, each in its place only", () => {
  const session = sessionContext(member.nonce);
  const asked = sealMessage(hub, "np.f.m.x.watch", { forMs: 5 }, session);
  const { message, id } = openMessage(member, "np.f.m.x.watch", WatchSchema, asked, session);
  expect(message).toEqual({ forMs: 5 });
  const answer = sealMessage(member, "np.f.m.x.watch", { forMs: 6 }, answerContext(id));
  const context = answerContext(boxIdOf(asked));
  const answered = openMessage(hub, "np.f.m.x.watch", WatchSchema, answer, context);
  expect(answered.message).toEqual({ forMs: 6 });
});

it("names what is wrong with what is in the box", () => {
  const asked = sealMessage(hub, "s", { forMs: "long" });
  expect(() => openMessage(member, "s", WatchSchema, asked)).toThrow(/another shape at forMs/);
});
