import { expect, test } from "vitest";
import { certificateFingerprint, isFingerprint } from "./certificate-fingerprint.ts";

const OF_ABC =
  "sha256:BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:" +
  "B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

test("writes SHA-256 in upper-case pairs (the digest of abc, FIPS 180-2)", () => {
  expect(certificateFingerprint(Buffer.from("abc"))).toBe(OF_ABC);
  expect(isFingerprint(OF_ABC)).toBe(true);
});

test("knows its own shape from all others", () => {
  const others = [
    "",
    "sha256:",
    OF_ABC.slice(0, -1),
    `${OF_ABC}:`,
    OF_ABC.toLowerCase(),
    OF_ABC.replace("sha256", "sha512"),
    OF_ABC.replace("BA:78", "BA-78"),
    OF_ABC.replace("BA:78", "BG:78"),
  ];
  for (const text of others) expect(isFingerprint(text), text).toBe(false);
});
