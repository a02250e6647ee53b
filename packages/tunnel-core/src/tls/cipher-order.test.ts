import { once } from "node:events";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { secureServer } from "../stream/tls-stream.ts";
import { cipherOrder } from "./cipher-order.ts";
import { createSelfSignedCertificate } from "./self-signed.ts";

const CHACHA = "TLS_CHACHA20_POLY1305_SHA256";
/** The order of OpenSSL, and of clients that have none of their own. */
const OPENSSL = ["TLS_AES_256_GCM_SHA384", CHACHA, "TLS_AES_128_GCM_SHA256"];

it("names each cipher once, and every one of TLS 1.3", () => {
  const names = cipherOrder().split(":");
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => name.startsWith("TLS_")).toSorted()).toEqual(OPENSSL.toSorted());
});

/** What our server agrees on with a client that offers these. */
async function agreedCipher(offered: readonly string[]): Promise<string> {
  const certificate = (await createSelfSignedCertificate()).current();
  const server = createServer({ highWaterMark: 0 }, (raw) => {
    secureServer(raw, certificate).on("error", () => raw.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const raw = connect(address.port, "127.0.0.1");
  const ciphers = offered.join(":");
  const client = connectTls({ socket: raw, ciphers, rejectUnauthorized: false });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  await once(client, "secureConnect");
  return client.getCipher().standardName;
}

it("is the server's order, not OpenSSL's nor that of who has none", async () => {
  expect(await agreedCipher(OPENSSL)).toBe(cipherOrder().split(":", 1)[0]);
});

it("is ChaCha20 with a client that has no AES", async () => {
  expect(await agreedCipher([CHACHA, ...OPENSSL])).toBe(CHACHA);
  expect(await agreedCipher([CHACHA])).toBe(CHACHA);
});
