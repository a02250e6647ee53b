import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { negotiateExtensions } from "./extensions.ts";
import {
  clientProof,
  findClientProof,
  keyId,
  newClientId,
  newNonce,
  newSessionId,
  ProofKeys,
  serverProof,
  sessionKey,
  signalKey,
  stretchTunnelKey,
  verifyProof,
} from "./proof.ts";
import {
  challengeHeaders,
  formatAnswerProof,
  formatChallenge,
  openingHeaders,
  parseAnswerProof,
  parseChallenge,
  parseHandshakeRequest,
  parseSalt,
  proofHeaders,
} from "./proof-headers.ts";
import { formatProvedAnswer, type ProvedAnswer, parseProvedAnswer } from "./proved-answer.ts";

interface Vector {
  readonly name: string;
  readonly tunnelKey: string;
  readonly stretchedKey: string;
  readonly clientProofKey: string;
  readonly serverProofKey: string;
  readonly sessionsKey: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly client: string;
  readonly extensions: readonly string[];
  readonly openingHeaders: Readonly<Record<string, string>>;
  readonly challenge: string;
  readonly clientProofMessage: string;
  readonly clientProof: string;
  readonly proofHeaders: Readonly<Record<string, string>>;
  readonly answer: ProvedAnswer;
  readonly body: string;
  readonly serverProofMessage: string;
  readonly serverProof: string;
  readonly answerProofHeader: string;
  readonly sessionKeyMessage: string;
  readonly sessionKey: string;
  readonly signalKey: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/proved-handshake.json", import.meta.url), "utf8"),
);

const bytes = (hex: string) => Buffer.from(hex, "hex");

/** As Node's HTTP parser hands them on. */
const lowerCase = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe.each(vectors)("vector: $name", (vector) => {
  const keys = new ProofKeys(bytes(vector.stretchedKey));
  const clientNonce = bytes(vector.clientNonce);
  const serverNonce = bytes(vector.serverNonce);
  const client = bytes(vector.client);
  const { method, path, host, extensions, body } = vector;

  test("keys", async () => {
    expect((await stretchTunnelKey(vector.tunnelKey)).toString("hex")).toBe(vector.stretchedKey);
    expect(keys.client.export().toString("hex")).toBe(vector.clientProofKey);
    expect(keys.server.export().toString("hex")).toBe(vector.serverProofKey);
    expect(keys.session.export().toString("hex")).toBe(vector.sessionsKey);
  });

  test("the messages under the keys give the proofs, as docs/protocol.md says", () => {
    const under = (key: string, message: string) =>
      createHmac("sha256", bytes(key)).update(bytes(message)).digest("hex");
    expect(under(vector.clientProofKey, vector.clientProofMessage)).toBe(vector.clientProof);
    expect(under(vector.serverProofKey, vector.serverProofMessage)).toBe(vector.serverProof);
    expect(under(vector.sessionsKey, vector.sessionKeyMessage)).toBe(vector.sessionKey);
  });

  test("first request and challenge", () => {
    expect(openingHeaders(clientNonce)).toEqual(vector.openingHeaders);
    expect(parseHandshakeRequest(lowerCase(vector.openingHeaders))).toEqual({
      kind: "opening",
      clientNonce,
    });
    expect(formatChallenge(serverNonce)).toBe(vector.challenge);
    expect(parseChallenge(vector.challenge)).toEqual(serverNonce);
  });

  test("second request", () => {
    const input = { method, path, host, clientNonce, serverNonce, client, extensions };
    const proof = clientProof(keys, input);
    expect(proof.toString("hex")).toBe(vector.clientProof);
    expect(proofHeaders({ clientNonce, client, extensions, proof })).toEqual(vector.proofHeaders);
    expect(parseHandshakeRequest(lowerCase(vector.proofHeaders))).toEqual({
      kind: "proof",
      clientNonce,
      client,
      extensions,
      proof,
    });
  });

  test("answer", () => {
    expect(formatProvedAnswer(vector.answer)).toBe(body);
    expect(parseProvedAnswer(body, extensions)).toEqual(vector.answer);
    const proof = serverProof(keys, { clientNonce, serverNonce, body: Buffer.from(body) });
    expect(proof.toString("hex")).toBe(vector.serverProof);
    expect(serverProof(keys, { clientNonce, serverNonce, body })).toEqual(proof);
    expect(formatAnswerProof(proof)).toBe(vector.answerProofHeader);
    expect(parseAnswerProof(vector.answerProofHeader)).toEqual(proof);
  });

  test("session", () => {
    const sessionId = bytes(vector.answer.session);
    const key = sessionKey(keys, { clientNonce, serverNonce, sessionId });
    expect(key.toString("hex")).toBe(vector.sessionKey);
    expect(signalKey(key)).toBe(vector.signalKey);
  });
});

interface KeyIdVector {
  readonly tunnelKey: string;
  readonly stretchedKey: string;
  readonly idKey: string;
  readonly salt: string;
  readonly saltHeader: string;
  readonly keyId: string;
  readonly keyIdHeader: string;
}

const keyIds: readonly KeyIdVector[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/key-ids.json", import.meta.url), "utf8"),
);

describe.each(keyIds)("key id under $tunnelKey", (vector) => {
  const keys = new ProofKeys(bytes(vector.stretchedKey));
  const salt = bytes(vector.salt);

  test("of a salt", () => {
    expect(keys.id.export().toString("hex")).toBe(vector.idKey);
    expect(keyId(keys, salt).toString("hex")).toBe(vector.keyId);
  });

  test("in the challenge and in the second request", () => {
    const headers = challengeHeaders(Buffer.alloc(32), salt);
    expect(headers["NodePass-Salt"]).toBe(vector.saltHeader);
    expect(parseSalt(lowerCase(headers))).toEqual(salt);
    expect(parseSalt(lowerCase(challengeHeaders(Buffer.alloc(32), undefined)))).toBeUndefined();
    const clientNonce = Buffer.alloc(32);
    const said = { clientNonce, client: Buffer.alloc(16), extensions: [], proof: Buffer.alloc(32) };
    const second = proofHeaders({ ...said, keyId: keyId(keys, salt) });
    expect(second["NodePass-Key-Id"]).toBe(vector.keyIdHeader);
    expect(parseHandshakeRequest(lowerCase(second))).toMatchObject({ keyId: bytes(vector.keyId) });
    const short = { ...lowerCase(second), "nodepass-key-id": "AAAA" };
    expect(() => parseHandshakeRequest(short)).toThrow(/nodepass-key-id is not 16 bytes/);
    expect(() => parseSalt({ "nodepass-salt": "x" })).toThrow(/nodepass-salt is not 16 bytes/);
  });
});

test("of several keys, whose proof it is", () => {
  const all = [1, 2, 3].map((seed) => new ProofKeys(Buffer.alloc(32, seed)));
  const input = {
    ...{ method: "GET", path: "/", host: "none", clientNonce: newNonce(), serverNonce: newNonce() },
    ...{ client: newClientId(), extensions: [] },
  };
  for (const [index, keys] of all.entries()) {
    expect(findClientProof(all, input, clientProof(keys, input))).toBe(index);
  }
  expect(findClientProof(all, input, Buffer.alloc(32))).toBe(-1);
});

describe("a proof is of one exchange only", () => {
  let keys: ProofKeys;
  let others: ProofKeys;
  beforeAll(async () => {
    keys = new ProofKeys(await stretchTunnelKey("secret"));
    others = new ProofKeys(await stretchTunnelKey("Secret"));
  });

  const request = {
    method: "GET",
    path: "/",
    host: "none",
    clientNonce: newNonce(),
    serverNonce: newNonce(),
    client: newClientId(),
    extensions: ["datagrams"],
  };

  test.each([
    { method: "POST" },
    { path: "/x" },
    { host: "none2" },
    { host: "", path: "/none" },
    { clientNonce: newNonce() },
    { serverNonce: newNonce() },
    { clientNonce: request.serverNonce, serverNonce: request.clientNonce },
    { client: newClientId() },
    { extensions: [] },
    { extensions: ["datagrams", "more"] },
  ])("the client's changes with %j", (change) => {
    const proof = clientProof(keys, request);
    expect(verifyProof(proof, clientProof(keys, request))).toBe(true);
    expect(verifyProof(proof, clientProof(keys, { ...request, ...change }))).toBe(false);
  });

  test("other keys prove nothing", () => {
    expect(verifyProof(clientProof(keys, request), clientProof(others, request))).toBe(false);
  });

  test("the server's changes with each bit of the body and of the nonces", () => {
    const input = {
      clientNonce: request.clientNonce,
      serverNonce: request.serverNonce,
      body: Buffer.from(vectors[1]?.body ?? ""),
    };
    const proof = serverProof(keys, input);
    expect(verifyProof(proof, serverProof(keys, input))).toBe(true);
    for (const field of ["clientNonce", "serverNonce", "body"] as const) {
      const original = input[field];
      for (let bit = 0; bit < original.length * 8; bit++) {
        const changed = Buffer.from(original);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(verifyProof(proof, serverProof(keys, { ...input, [field]: changed }))).toBe(false);
      }
    }
  });

  test("neither end's proof is the other's, nor a session's key", () => {
    const { clientNonce, serverNonce } = request;
    const session = sessionKey(keys, { clientNonce, serverNonce, sessionId: newSessionId() });
    const server = serverProof(keys, { clientNonce, serverNonce, body: "" });
    expect(verifyProof(session, server)).toBe(false);
    expect(verifyProof(clientProof(keys, request), server)).toBe(false);
  });

  test("proofs of other lengths are refused without a throw", () => {
    const proof = clientProof(keys, request);
    expect(verifyProof(proof, proof.subarray(1))).toBe(false);
    expect(verifyProof(proof, Buffer.alloc(0))).toBe(false);
  });

  test("the keys show none of their bytes", () => {
    const hex = keys.client.export().toString("hex");
    const shown = inspect(keys, { depth: 9, showHidden: true }) + JSON.stringify(keys);
    expect(shown.replaceAll(" ", "")).not.toContain(hex.slice(0, 8));
  });
});

test("nonces, identities and sessions are fresh and of their size", () => {
  expect([newNonce().length, newClientId().length, newSessionId().length]).toEqual([32, 16, 8]);
  expect(newNonce()).not.toEqual(newNonce());
});

describe("parseHandshakeRequest", () => {
  const good = lowerCase(vectors[0]?.proofHeaders ?? {});

  test("tells a NodePass 1.14 client and everybody else", () => {
    const bearer = { authorization: "Bearer abc", "accept-encoding": "gzip" };
    expect(parseHandshakeRequest(bearer)).toEqual({ kind: "token", token: "abc" });
    expect(parseHandshakeRequest({})).toEqual({ kind: "plain" });
    expect(parseHandshakeRequest({ authorization: "Basic x" })).toEqual({ kind: "plain" });
  });

  test("lets a first request name a later version, a second only the one in force", () => {
    const { authorization, ...opening } = good;
    const later = { ...opening, "nodepass-version": "27" };
    expect(parseHandshakeRequest(later).kind).toBe("opening");
    expect(() => parseHandshakeRequest({ ...later, authorization })).toThrow("nodepass-version");
  });

  test.each([
    { "nodepass-version": "0" },
    { "nodepass-version": "1, 1" },
    { "nodepass-nonce": undefined },
    { "nodepass-nonce": "" },
    { "nodepass-nonce": `${good["nodepass-nonce"]}=` },
    { "nodepass-nonce": `${"A".repeat(42)}B` },
    { "nodepass-nonce": "+".repeat(43) },
    { "nodepass-client": undefined },
    { "nodepass-client": "A".repeat(43) },
    { authorization: "NodePass-Proof " },
    { authorization: `NodePass-Proof ${"A".repeat(44)}` },
    { authorization: `NodePass-Proof  ${"A".repeat(43)}` },
    { "nodepass-extensions": "" },
    { "nodepass-extensions": "a,,b" },
    { "nodepass-extensions": "a, b" },
    { "nodepass-extensions": "a,a" },
    { "nodepass-extensions": "Datagrams" },
    { "nodepass-extensions": "x".repeat(33) },
    { "nodepass-extensions": Array.from({ length: 17 }, (_, at) => `x${at}`).join(",") },
  ])("refuses %j", (change) => {
    expect(() => parseHandshakeRequest({ ...good, ...change })).toThrow(
      expect.objectContaining({ code: "HANDSHAKE_INVALID" }),
    );
  });

  test("takes random headers without another error than its own", () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(...Object.values(good)),
      fc.array(fc.string(), { maxLength: 2 }),
    );
    const names = Object.fromEntries(Object.keys(good).map((name) => [name, value]));
    fc.assert(
      fc.property(fc.record(names, { requiredKeys: [] }), (headers) => {
        try {
          parseHandshakeRequest(headers);
        } catch (error) {
          expect(error).toMatchObject({ code: "HANDSHAKE_INVALID" });
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("parseChallenge", () => {
  test.each([undefined, "", 'Basic realm="x"', "Bearer"])("knows no challenge in %j", (value) => {
    expect(parseChallenge(value)).toBeUndefined();
  });

  test.each([
    "NodePass nonce",
    'NodePass version="2", nonce="AAAA"',
    `NodePass version="2", nonce="${"A".repeat(43)}"`,
    `NodePass version="1", nonce="${"A".repeat(42)}"`,
    `NodePass version="1", nonce="${"A".repeat(43)}", x`,
  ])("refuses %s", (value) => {
    expect(() => parseChallenge(value)).toThrow(
      expect.objectContaining({ code: "HANDSHAKE_INVALID" }),
    );
  });
});

test.each([undefined, "", "A".repeat(42), "!".repeat(43)])("%j proves no server", (value) => {
  expect(() => parseAnswerProof(value)).toThrow(expect.objectContaining({ code: "PEER_UNPROVED" }));
});

describe("parseProvedAnswer", () => {
  const good = JSON.parse(vectors[0]?.body ?? "{}");
  const fp = vectors[1]?.answer.fp;

  test.each([
    { session: undefined },
    { session: "0102030405060708".toUpperCase().replace("0", "A") },
    { session: "01020304" },
    { session: 1 },
    { fp: undefined },
    { fp },
    { tls: "1" },
    { tls: "1", fp: "sha256:00" },
    { ext: undefined },
    { ext: "datagrams" },
    { ext: ["other"] },
    { ext: ["datagrams", "datagrams"] },
    { ext: [1] },
    { flow: "?" },
  ])("refuses %j", (change) => {
    const text = JSON.stringify({ ...good, ...change });
    expect(() => parseProvedAnswer(text, ["datagrams"])).toThrow(
      expect.objectContaining({ code: "HANDSHAKE_INVALID" }),
    );
  });

  test("refuses extensions that were not offered", () => {
    expect(() => parseProvedAnswer(JSON.stringify(good), [])).toThrow("ext");
    expect(parseProvedAnswer(JSON.stringify({ ...good, ext: [] }), ["datagrams"]).ext).toEqual([]);
  });

  test("takes random JSON without another error than its own", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(good)), fc.jsonValue()),
        (change) => {
          try {
            parseProvedAnswer(JSON.stringify({ ...good, ...change }), ["datagrams"]);
          } catch (error) {
            expect(error).toMatchObject({ code: "HANDSHAKE_INVALID" });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("negotiateExtensions keeps what both know, in the offered order", () => {
  expect(negotiateExtensions(["b", "x", "a"], ["a", "b", "c"])).toEqual(["b", "a"]);
  expect(negotiateExtensions([], ["a"])).toEqual([]);
});
