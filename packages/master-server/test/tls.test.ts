import { once } from "node:events";
import { renameSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import { createMasterClient, parseMasterAddress } from "@nodepass/master-client";
import { createNodeFetch, parseFingerprint } from "@nodepass/master-client/node";
import { expect, it, vi } from "vitest";
import { startLines } from "../src/index.ts";
import { type CertificatePair, firstPair, secondPair } from "./support/certificates.ts";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

async function certificateOf(port: number): Promise<PeerCertificate> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    expect(socket.getProtocol()).toBe("TLSv1.3");
    return socket.getPeerCertificate();
  } finally {
    socket.destroy();
  }
}

function writePair(folder: string, { certificate, key }: CertificatePair) {
  const paths = { crt: join(folder, "api.crt"), key: join(folder, "api.key") };
  writeFileSync(`${paths.crt}.new`, certificate);
  writeFileSync(`${paths.key}.new`, key);
  renameSync(`${paths.crt}.new`, paths.crt);
  renameSync(`${paths.key}.new`, paths.key);
  return paths;
}

it("makes a certificate of its own with tls=1, another one for another state", async () => {
  const one = await startMaster({ url: "master://127.0.0.1:0?tls=1" });
  expect(one.master.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/api$/);
  expect(await one.api.get("/info")).toMatchObject({ tls: "1", crt: "", key: "" });
  const events = await one.api.events();
  await events.waitFor(({ type }) => type === "initial");

  const two = await startMaster({ url: "master://127.0.0.1:0?tls=1" });
  const [first, second] = await Promise.all(
    [one, two].map(({ master }) => certificateOf(master.address.port)),
  );
  expect(first?.subject.CN).toBe("nodepass");
  expect(first?.fingerprint256).not.toBe(second?.fingerprint256);
});

it("keeps that certificate, so that its fingerprint can be pinned, and says it", async () => {
  const stateDirectory = temporaryFolder();
  const url = "master://127.0.0.1:0?tls=1";
  const first = await startMaster({ url, stateDirectory });
  const { certificateFingerprint: fingerprint } = first.master;
  const shown = await certificateOf(first.master.address.port);
  expect(fingerprint).toBe(`sha256:${shown.fingerprint256}`);
  expect(startLines(first.master)).toContain(`Certificate: ${fingerprint}`);
  expect(first.log()).toContain(`fingerprint=${fingerprint}`);
  expect(statSync(join(stateDirectory, "master.key")).mode & 0o777).toBe(0o600);
  await first.master.close();
  const second = await startMaster({ url, stateDirectory });
  expect(second.master.certificateFingerprint).toBe(fingerprint);
  const pinned = createMasterClient({
    address: parseMasterAddress(second.master.url),
    key: second.master.apiKey,
    fetch: createNodeFetch({ kind: "pin", fingerprint: parseFingerprint(fingerprint ?? "") }),
  });
  expect(await pinned.list()).toEqual([]);
  const other = createMasterClient({
    address: parseMasterAddress(second.master.url),
    key: second.master.apiKey,
    fetch: createNodeFetch({ kind: "pin", fingerprint: parseFingerprint("0".repeat(64)) }),
  });
  await expect(other.list()).rejects.toMatchObject({ code: "UNREACHABLE" });
});

it("warns of all interfaces without TLS, and of nothing else", async () => {
  const open = await startMaster({ url: "master://:0?log=warn" });
  expect(open.log()).toContain("no TLS on all interfaces");
  for (const url of ["master://127.0.0.1:0?log=warn", "master://:0?tls=1&log=warn"]) {
    expect((await startMaster({ url })).log()).toBe("");
  }
});

it("follows the files with tls=2, without a break of what is open", async () => {
  const folder = temporaryFolder();
  const paths = writePair(folder, firstPair);
  const query = new URLSearchParams({ tls: "2", ...paths });
  const { master, api, log } = await startMaster({ url: `master://127.0.0.1:0?${query}` });
  expect(await api.get("/info")).toMatchObject({ tls: "2", ...paths });
  const { port } = master.address;
  expect((await certificateOf(port)).subject.CN).toBe("first.example");
  const events = await api.events();

  writePair(folder, secondPair);
  await vi.waitFor(async () => {
    expect((await certificateOf(port)).subject.CN).toBe("second.example");
  });
  expect(log()).toContain("certificate reloaded");
  await api.create("server://127.0.0.1:0/127.0.0.1:9");
  await events.waitFor(({ type }) => type === "create");

  // Half a file: the last good certificate stays.
  writeFileSync(paths.crt, firstPair.certificate.slice(0, 100));
  await vi.waitFor(async () => {
    await certificateOf(port);
    expect(log()).toContain("certificate not reloaded");
  });
  expect((await certificateOf(port)).subject.CN).toBe("second.example");
});

it("gives its instances its own certificate files", async () => {
  const paths = writePair(temporaryFolder(), firstPair);
  const query = new URLSearchParams({ tls: "2", ...paths });
  const { api } = await startMaster({ url: `master://127.0.0.1:0?${query}` });
  const { config, url } = await api.create("server://127.0.0.1:0/127.0.0.1:9");
  expect(url).toBe("server://127.0.0.1:0/127.0.0.1:9");
  expect(Object.fromEntries(new URL(config).searchParams)).toMatchObject({ tls: "2", ...paths });
});

it("closes handshakes that fail or take too long", async () => {
  const { master, api } = await startMaster({
    url: "master://127.0.0.1:0?tls=1",
    limits: { handshakeTimeoutMs: 200 },
  });
  const silent = createConnection(master.address.port, "127.0.0.1");
  const plain = createConnection(master.address.port, "127.0.0.1");
  for (const socket of [silent, plain]) socket.resume().on("error", () => undefined);
  plain.write("GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n");
  await Promise.all([once(silent, "close"), once(plain, "close")]);
  expect(await api.get("/info")).toMatchObject({ tls: "1" });
});
