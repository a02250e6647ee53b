import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { expect, test } from "vitest";
import { createAuthority, issueCertificate } from "./certificate-authority.ts";

test("issues certificates that its own vouches for, for the names that were given", async () => {
  const authority = await createAuthority("my servers");
  const names = ["a.example.com", "*.gw.example.com", "192.0.2.1", "2001:db8::1"];
  const { cert, key } = await issueCertificate(authority, { names });
  const [root, leaf] = [new X509Certificate(authority.cert), new X509Certificate(cert)];
  expect([root.ca, leaf.ca, leaf.issuer, leaf.subject]).toEqual([
    ...[true, false, "CN=my servers", "CN=a.example.com"],
  ]);
  expect(root.verify(root.publicKey)).toBe(true);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.checkIssued(root)).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(
    ["a.example.com", "x.gw.example.com", "b.example.com"].map((n) => leaf.checkHost(n)),
  ).toEqual(["a.example.com", "*.gw.example.com", undefined]);
  expect(
    ["192.0.2.1", "2001:db8::1", "192.0.2.2"].map((ip) => leaf.checkIP(ip) !== undefined),
  ).toEqual([true, true, false]);
});

test.each(["::", "::1", "1::", "fe80::1:2", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1"])(
  "writes the address %s as it is",
  async (address) => {
    const authority = await createAuthority("a");
    const { cert } = await issueCertificate(authority, { names: [address] });
    expect(new X509Certificate(cert).checkIP(address)).toBe(address);
  },
);

test("TLS clients that know the authority take the certificate by its name, others do not", async () => {
  const authority = await createAuthority("a");
  const { cert, key } = await issueCertificate(authority, { names: ["nodepass.test"] });
  const server = createServer({ cert, key, minVersion: "TLSv1.3" });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const reach = async (servername: string, ca: string[]): Promise<string> => {
    const socket = connect({ port, host: "127.0.0.1", servername, ca });
    try {
      await once(socket, "secureConnect");
      return "taken";
    } catch (error) {
      return String(Object(error).code);
    } finally {
      socket.destroy();
    }
  };
  expect(await reach("nodepass.test", [authority.cert])).toBe("taken");
  expect(await reach("other.test", [authority.cert])).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  const other = await createAuthority("a");
  expect(await reach("nodepass.test", [other.cert])).not.toBe("taken");
  server.close();
  await once(server, "close");
});

test.each([[[]], [["a b"]], [["a.example.com", "http://x"]], [[""]]])(
  "refuses the names %j",
  async (names) => {
    const authority = await createAuthority("a");
    await expect(issueCertificate(authority, { names })).rejects.toHaveProperty(
      "code",
      "INVALID_OPTIONS",
    );
  },
);

test.each(["", "a,O=b", "x".repeat(65)])("refuses to be called %j", async (name) => {
  await expect(createAuthority(name)).rejects.toHaveProperty("code", "INVALID_OPTIONS");
});
