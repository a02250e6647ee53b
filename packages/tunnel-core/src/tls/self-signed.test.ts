import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { certificateFingerprint } from "../wire/certificate-fingerprint.ts";
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

test("makes a certificate that its own key has signed, valid from an hour ago for ten years", async () => {
  const source = await createSelfSignedCertificate({ commonName: "edge-1.example" });
  const certificate = new X509Certificate(source.current().pem().cert);
  expect(certificate.subject).toBe("CN=edge-1.example");
  expect(certificate.issuer).toBe(certificate.subject);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
  const from = certificate.validFromDate.getTime();
  expect(Math.abs(from + 3_600_000 - Date.now())).toBeLessThan(60_000);
  expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
});

test("a peer that trusts the certificate completes a TLS handshake with it", async () => {
  const source = await createSelfSignedCertificate({ commonName: "edge" });
  const { cert, key } = source.current().pem();
  const server = createServer({ cert, key, minVersion: "TLSv1.3" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client: TLSSocket = connect({
    port,
    host: "127.0.0.1",
    ca: cert,
    checkServerIdentity: () => undefined,
  });
  await once(client, "secureConnect");
  expect(client.authorized).toBe(true);
  expect(client.getPeerX509Certificate()?.raw.equals(new X509Certificate(cert).raw)).toBe(true);
  client.destroy();
  server.close();
  await once(server, "close");
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
