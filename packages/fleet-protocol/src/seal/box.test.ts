import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Box, boxIdOf, openBox } from "./box.ts";
import { BOX_OVERHEAD } from "./box-frame.ts";
import { BoxKeys, createBoxKeys, fingerprintOf } from "./box-keys.ts";
import { answerContext, sessionContext } from "./context.ts";
import { SealError, type SealErrorCode } from "./seal-error.ts";

const fleet = createBoxKeys();
const member = createBoxKeys();
const other = createBoxKeys();

const atHub = (options: { maxSenders?: number; maxFormerSenders?: number } = {}): Box =>
  openBox({ own: fleet, peerPublicKey: member.publicKey, side: "hub", ...options });
const atMember = (options: { maxSenders?: number; maxFormerSenders?: number } = {}): Box =>
  openBox({ own: member, peerPublicKey: fleet.publicKey, side: "member", ...options });

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

/** The code of what `action` throws; anything that is no `SealError` fails the test. */
function codeOf(action: () => unknown): SealErrorCode | "none" {
  try {
    action();
  } catch (error) {
    if (error instanceof SealError) return error.code;
    throw error;
  }
  return "none";
}

describe("a box", () => {
  test("opens at the other side, whoever of the two sealed it", () => {
    const hub = atHub();
    const agent = atMember();
    const opened = agent.open("np.f.m.a.api", hub.seal("np.f.m.a.api", bytes("GET /info")));
    expect(text(opened.body)).toBe("GET /info");
    expect(opened.sender).toBe(hub.nonce);
    expect(opened.counter).toBe(1);
    const answer = hub.open("s", agent.seal("s", bytes("200")));
    expect(text(answer.body)).toBe("200");
  });

  test("adds 33 bytes and shows nothing of the body", () => {
    const sealed = atHub().seal("s", bytes("password=hunter2"));
    expect(sealed.byteLength).toBe(16 + BOX_OVERHEAD);
    expect(BOX_OVERHEAD).toBe(33);
    expect(Buffer.from(sealed).includes("hunter2")).toBe(false);
  });

  test("of the same body is never the same twice, nor with a new run", () => {
    const boxes = [atHub(), atHub()].flatMap((box) => [1, 2].map(() => box.seal("s", bytes("x"))));
    expect(new Set(boxes.map((box) => Buffer.from(box).toString("hex"))).size).toBe(4);
  });

  test("opens by any of several keys; a hub seals by the one that its member has used last", () => {
    const next = createBoxKeys();
    const [byOld, byNew] = [fleet, next].map((own) => ({ own, peerPublicKey: member.publicKey }));
    const [old, fresh] = [fleet, next].map(({ publicKey }) => ({
      own: member,
      peerPublicKey: publicKey,
    }));
    if (!byOld || !byNew || !old || !fresh) throw new Error("two of each");
    const hub = openBox({ ...byOld, others: [byNew], side: "hub" });
    const agent = atMember();
    const { nonce } = agent;
    const pass = (from: Box, to: Box) => codeOf(() => to.open("s", from.seal("s", bytes("x"))));
    expect([pass(agent, hub), pass(hub, agent)]).toEqual(["none", "none"]);
    agent.use([fresh, old]);
    // It has said nothing by the new one yet.
    expect(pass(hub, agent)).toBe("none");
    expect(pass(agent, hub)).toBe("none");
    const kept = agent.seal("s", bytes("x"));
    agent.use([fresh]);
    expect(pass(hub, agent)).toBe("none");
    const former = atMember().seal("s", bytes("x"));
    hub.use([byNew]);
    expect([pass(agent, hub), pass(hub, agent)]).toEqual(["none", "none"]);
    expect(codeOf(() => hub.open("s", former))).toBe("BAD_SEAL");
    // One run goes on, by whichever key: nothing is taken twice.
    expect(codeOf(() => hub.open("s", kept))).toBe("none");
    expect(codeOf(() => hub.open("s", kept))).toBe("REPEATED");
    expect(agent.nonce).toBe(nonce);
    expect(pass(atHub(), agent)).toBe("BAD_SEAL");
  });

  test("is refused under another subject, context or direction, and by another's key", () => {
    const hub = atHub();
    const agent = atMember();
    const context = sessionContext(agent.nonce);
    const sealed = hub.seal("np.f.m.a.apply", bytes("x"), context);
    expect(codeOf(() => agent.open("np.f.m.a.api", sealed, context))).toBe("BAD_SEAL");
    expect(codeOf(() => agent.open("np.f.m.a.apply", sealed))).toBe("BAD_SEAL");
    const restarted = sessionContext(atMember().nonce);
    expect(codeOf(() => agent.open("np.f.m.a.apply", sealed, restarted))).toBe("BAD_SEAL");
    expect(codeOf(() => hub.open("np.f.m.a.apply", sealed, context))).toBe("BAD_SEAL");
    const stranger = openBox({ own: other, peerPublicKey: fleet.publicKey, side: "member" });
    expect(codeOf(() => stranger.open("np.f.m.a.apply", sealed, context))).toBe("BAD_SEAL");
    expect(codeOf(() => agent.open("np.f.m.a.apply", sealed, context))).toBe("none");
  });

  test("does not confuse the end of a subject with the beginning of a context", () => {
    const sealed = atHub().seal("ab", bytes("x"), bytes("c"));
    expect(codeOf(() => atMember().open("a", sealed, bytes("bc")))).toBe("BAD_SEAL");
  });

  test("of an answer fits its request only", () => {
    const hub = atHub();
    const agent = atMember();
    const first = hub.seal("s", bytes("1"));
    const second = hub.seal("s", bytes("2"));
    agent.open("s", first);
    const answer = agent.seal("s", bytes("answer to 2"), answerContext(agent.open("s", second)));
    expect(codeOf(() => hub.open("s", answer, answerContext(boxIdOf(first))))).toBe("BAD_SEAL");
    expect(text(hub.open("s", answer, answerContext(boxIdOf(second))).body)).toBe("answer to 2");
  });

  test("is taken once", () => {
    const sealed = atHub().seal("s", bytes("x"));
    const agent = atMember();
    agent.open("s", sealed);
    expect(codeOf(() => agent.open("s", sealed))).toBe("REPEATED");
  });

  test("may be overtaken by 1,023 others of its run, not by more", () => {
    const hub = atHub();
    const sealed = Array.from({ length: 1026 }, () => hub.seal("s", bytes("x")));
    const open = (box: Box, index: number) =>
      codeOf(() => box.open("s", sealed[index] ?? new Uint8Array()));
    const agent = atMember();
    expect(open(agent, 1024)).toBe("none");
    expect(open(agent, 1)).toBe("none");
    expect(open(agent, 0)).toBe("REPEATED");
    expect(open(agent, 1)).toBe("REPEATED");
    expect(open(agent, 1025)).toBe("none");
    expect(open(agent, 512)).toBe("none");
    expect(open(agent, 512)).toBe("REPEATED");
  });

  test("of a run that fell out of the memory stays refused", () => {
    const hubs = [atHub(), atHub(), atHub()];
    const agent = atMember({ maxSenders: 2 });
    const recorded = hubs.map((hub) => hub.seal("s", bytes("x")));
    for (const sealed of recorded) agent.open("s", sealed);
    const codes = recorded.map((sealed) => codeOf(() => agent.open("s", sealed)));
    expect(codes).toEqual(["REPEATED", "REPEATED", "REPEATED"]);
    const [first, second] = hubs.map((hub) => hub.seal("s", bytes("later")));
    expect(codeOf(() => agent.open("s", first ?? new Uint8Array()))).toBe("REPEATED");
    expect(codeOf(() => agent.open("s", second ?? new Uint8Array()))).toBe("none");
  });

  test("that is not genuine pushes no run out of the memory", () => {
    const hub = atHub();
    const agent = atMember({ maxSenders: 1 });
    agent.open("s", hub.seal("s", bytes("x")));
    const forged = hub.seal("s", bytes("x"));
    for (let nonce = 0; nonce < 100; nonce++) {
      forged[1] = nonce;
      codeOf(() => agent.open("s", forged));
    }
    expect(codeOf(() => agent.open("s", hub.seal("s", bytes("x"))))).toBe("none");
  });
});

describe("whatever comes from outside", () => {
  test("a changed, cut, lengthened or foreign box is refused by name, and the true one still opens", () => {
    const hub = atHub({ maxSenders: 4 });
    const agent = atMember({ maxSenders: 4 });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 17 }),
        fc.nat(),
        fc.nat({ max: 7 }),
        (body, subject, context, at, bit) => {
          const sealed = hub.seal(subject, body, context);
          const refused = (subject_: string, bytes_: Uint8Array, context_: Uint8Array) => {
            expect(["BAD_SEAL", "BAD_FRAME"]).toContain(
              codeOf(() => agent.open(subject_, bytes_, context_)),
            );
          };
          const changed = sealed.slice();
          changed[at % sealed.length] = (sealed[at % sealed.length] ?? 0) ^ (1 << bit);
          refused(subject, changed, context);
          refused(subject, sealed.subarray(0, at % sealed.length), context);
          refused(subject, Buffer.concat([sealed, Buffer.of(bit)]), context);
          refused(`${subject}x`, sealed, context);
          refused(subject, sealed, Buffer.concat([context, Buffer.of(bit)]));
          expect(["BAD_SEAL"]).toContain(codeOf(() => hub.open(subject, sealed, context)));
          const opened = agent.open(subject, sealed, context);
          expect(Buffer.from(opened.body).equals(body)).toBe(true);
          expect(codeOf(() => agent.open(subject, sealed, context))).toBe("REPEATED");
        },
      ),
      { numRuns: 500 },
    );
  });

  test("any bytes at all are refused by name", () => {
    const agent = atMember();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.string(), (bytes_, subject) => {
        for (const frame of [bytes_, Buffer.concat([Buffer.of(1), bytes_])]) {
          expect(["BAD_SEAL", "BAD_FRAME"]).toContain(codeOf(() => agent.open(subject, frame)));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("keys of a box", () => {
  test("come back from their private half, with the same fingerprint", () => {
    const again = new BoxKeys(fleet.privateKey);
    expect(again.publicKey).toEqual(fleet.publicKey);
    expect(fingerprintOf(again.publicKey)).toMatch(/^sha256:[A-Za-z0-9_-]{43}$/);
    expect(fingerprintOf(other.publicKey)).not.toBe(fingerprintOf(fleet.publicKey));
  });

  test("agree as RFC 7748, 6.1 says", () => {
    const bytesOf = (hex: string) => Buffer.from(hex, "hex");
    const alice = new BoxKeys(
      bytesOf("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
    );
    const bob = new BoxKeys(
      bytesOf("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
    );
    const secret = bytesOf("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    expect(alice.agree(bob.publicKey)).toEqual(secret);
    expect(bob.agree(alice.publicKey)).toEqual(secret);
  });

  test("are shown by nothing that prints them", () => {
    const secret = Buffer.from(fleet.privateKey);
    for (const shown of [inspect(fleet, { depth: 9, showHidden: true }), JSON.stringify(fleet)]) {
      expect(shown).toContain(fingerprintOf(fleet.publicKey));
      expect(shown).not.toContain(secret.toString("hex").slice(0, 8));
      expect(shown).not.toContain(secret.toString("base64").slice(0, 8));
    }
  });

  test("of a wrong length, or that make the secret zero, are refused", () => {
    expect(codeOf(() => new BoxKeys(new Uint8Array(31)))).toBe("BAD_KEY");
    expect(codeOf(() => fingerprintOf(new Uint8Array(33)))).toBe("BAD_KEY");
    for (const peerPublicKey of [new Uint8Array(32), new Uint8Array(5)]) {
      expect(codeOf(() => openBox({ own: fleet, peerPublicKey, side: "hub" }))).toBe("BAD_KEY");
    }
  });

  test("contexts are made of nonces only", () => {
    expect(codeOf(() => sessionContext("abc"))).toBe("BAD_FRAME");
    expect(codeOf(() => sessionContext("zz".repeat(8)))).toBe("BAD_FRAME");
    expect(codeOf(() => answerContext({ sender: "", counter: 1 }))).toBe("BAD_FRAME");
  });
});
