import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import { expect, onTestFinished, test } from "vitest";
import { certificateFingerprint } from "../wire/certificate-fingerprint.ts";
import { openCertificateFiles } from "./certificate-files.ts";
import type { CertificateSource } from "./certificate-source.ts";
import { createSelfSignedCertificate } from "./self-signed.ts";

/** Wraps accepted connections as the pool's server does; answers with one byte. */
async function serve(source: CertificateSource): Promise<number> {
  const server = createServer((socket) => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: source.current().context,
    });
    // A refused handshake is the client's to report.
    secured.on("error", () => socket.destroy());
    secured.end("x");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Shakes hands and returns what the client saw. */
async function shakeHands(port: number, options: ConnectionOptions = {}) {
  const client = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  try {
    await once(client, "secureConnect");
    const peer = client.getPeerX509Certificate();
    if (peer === undefined) throw new Error("the peer showed no certificate");
    return {
      fingerprint: certificateFingerprint(peer.raw),
      subject: peer.subject,
      curve: peer.publicKey.asymmetricKeyDetails?.namedCurve,
      protocol: client.getProtocol(),
      authorized: client.authorized,
    };
  } finally {
    client.destroy();
  }
}

const makePair = (commonName: string) =>
  generate([{ name: "commonName", value: commonName }], { keyType: "ec", algorithm: "sha256" });

test("a self-signed certificate serves TLS 1.3 under the fingerprint that it tells", async () => {
  const source = await createSelfSignedCertificate({ commonName: "tunnel.example" });
  const port = await serve(source);
  expect(await shakeHands(port)).toEqual({
    fingerprint: source.current().fingerprint,
    subject: "CN=tunnel.example",
    curve: "prime256v1",
    protocol: "TLSv1.3",
    authorized: false,
  });
});

test("TLS 1.2 is refused", async () => {
  const port = await serve(await createSelfSignedCertificate());
  await expect(shakeHands(port, { maxVersion: "TLSv1.2" })).rejects.toThrow();
});

test("a replaced certificate file is used by the next handshake", async () => {
  const folder = await mkdtemp(join(tmpdir(), "np-handshake-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const certPath = join(folder, "crt.pem");
  const keyPath = join(folder, "key.pem");
  const old = await makePair("old.example");
  await writeFile(certPath, old.cert);
  await writeFile(keyPath, old.private);
  let nowMs = 0;
  const source = await openCertificateFiles({ certPath, keyPath, now: () => nowMs });
  onTestFinished(() => source.close());
  const port = await serve(source);
  const verify = (pair: { cert: string }, servername: string) =>
    shakeHands(port, { ca: pair.cert, servername, rejectUnauthorized: true });
  const first = await verify(old, "old.example");
  expect(first).toMatchObject({ authorized: true, fingerprint: source.current().fingerprint });

  const fresh = await makePair("fresh.example");
  await writeFile(`${keyPath}.new`, fresh.private);
  await writeFile(`${certPath}.new`, fresh.cert);
  await rename(`${keyPath}.new`, keyPath);
  await rename(`${certPath}.new`, certPath);
  nowMs += 500;
  const second = await verify(fresh, "fresh.example");
  expect(second).toMatchObject({ authorized: true, protocol: "TLSv1.3" });
  expect(second.fingerprint).toBe(source.current().fingerprint);
  expect(second.fingerprint).not.toBe(first.fingerprint);
});
