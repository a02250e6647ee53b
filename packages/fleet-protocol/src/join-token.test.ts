import { describe, expect, it } from "vitest";
import { decodeJoinToken, encodeJoinToken, type JoinToken } from "./join-token.ts";
import { createBoxKeys, fingerprintOf } from "./seal/box-keys.ts";

const token: JoinToken = {
  url: "https://hub.example:8443/api",
  fp: fingerprintOf(createBoxKeys().publicKey),
  id: "a1b2c3d4",
  secret: "0123456789abcdef0123456789abcdef",
  ca: `sha256:${Array.from({ length: 32 }, () => "AB").join(":")}`,
};

describe("join token", () => {
  it("is one word that says all of it again", () => {
    const text = encodeJoinToken(token);
    expect(text).toMatch(/^np1_[\w-]+$/);
    expect(decodeJoinToken(text)).toEqual(token);
    const { ca: _, ...plain } = token;
    expect(decodeJoinToken(encodeJoinToken(plain))).toEqual(plain);
  });

  it("is read with the line breaks of files and terminals", () => {
    const text = encodeJoinToken(token);
    expect(decodeJoinToken(` ${text.slice(0, 40)}\r\n${text.slice(40)}\n`)).toEqual(token);
  });

  it("names what is wrong and quotes nothing of it", () => {
    const broken = (change: object) =>
      `np1_${Buffer.from(JSON.stringify({ ...token, ...change })).toString("base64url")}`;
    expect(() => decodeJoinToken("secret-without-prefix")).toThrow(
      /^a join token begins with np1_$/,
    );
    expect(() => decodeJoinToken(encodeJoinToken(token).slice(0, 90))).toThrow(/cut off/);
    for (const [field, value] of [
      ["url", "nats://hub.example"],
      ["fp", "sha256:short"],
      ["secret", "short"],
      ["ca", "sha256:00"],
    ] as const) {
      let message = "";
      try {
        decodeJoinToken(broken({ [field]: value }));
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain(`the join token's ${field} can't be used`);
      expect(message).not.toContain(value);
    }
  });
});
