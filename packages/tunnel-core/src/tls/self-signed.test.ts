import { expect, test } from "vitest";
import { certificateFingerprint } from "./certificate-source.ts";
import { createSelfSignedCertificate } from "./self-signed.ts";

test("makes one state per source and another certificate each time", async () => {
  const first = await createSelfSignedCertificate();
  const second = await createSelfSignedCertificate();
  const state = first.current();
  expect(state.fingerprint).toMatch(/^sha256:([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect(state.fingerprint).not.toBe(second.current().fingerprint);
  expect(state.notAfter.getTime()).toBeGreaterThan(Date.now() + 9 * 365 * 86_400_000);
  first.close();
  expect(first.current()).toBe(state);
});

test.each(["", "a,O=b", "ü", "x".repeat(65)])("refuses the common name %j", async (commonName) => {
  await expect(createSelfSignedCertificate({ commonName })).rejects.toHaveProperty(
    "code",
    "INVALID_OPTIONS",
  );
});

test("writes fingerprints as upper-case hex pairs", () => {
  expect(certificateFingerprint(Buffer.from("abc"))).toBe(
    "sha256:BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD",
  );
});
