import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, expect, test } from "vitest";
import { SERVER_NAME } from "../support/authority.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { startScriptedTarget } from "../support/scripted-target.ts";
import { eventually, openPair, tunnelPort } from "../support/tunnel-pair.ts";
import { EndProcess } from "./support/end-process.ts";
import { SteadyUsers } from "./support/steady-users.ts";

const folder = mkdtempSync(join(tmpdir(), "nodepass-"));

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await expectNoSockets();
});

test("certificate files replaced under load cost nobody his connection", async () => {
  const ec = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;
  const root = await generate([{ name: "commonName", value: "NodePass test authority" }], {
    ...ec,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const crt = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const issue = async (): Promise<string> => {
    const leaf = await generate([{ name: "commonName", value: SERVER_NAME }], {
      ...ec,
      ca: { key: root.private, cert: root.cert },
      extensions: [
        { name: "basicConstraints", cA: false },
        { name: "subjectAltName", altNames: [{ type: 2, value: SERVER_NAME }] },
      ],
    });
    // One after the other: the pair does not fit for a moment.
    writeFileSync(crt, leaf.cert);
    writeFileSync(key, leaf.private);
    return new X509Certificate(leaf.cert).fingerprint256;
  };
  await issue();
  const target = await startScriptedTarget();
  const authority = {
    ca: root.cert,
    query: `crt=${encodeURIComponent(crt)}&key=${encodeURIComponent(key)}`,
    remove: async () => {},
  };
  const pair = await openPair({ flow: "reverse", target: target.at, tls: 2, authority });
  const users = new SteadyUsers({ entry: pair.entry, rate: 50 });
  await users.run(200);
  const renewed = await issue();
  const server = pair.server;
  if (server === undefined) throw new Error("no server");
  users.start();
  await eventually(async () => expect(await shownAt(tunnelPort(server))).toBe(renewed));
  // A user more than the pool holds: connections are dialled with the new certificate.
  await users.run(500);
  await users.stop();
  expect(users.failed).toEqual([]);
  expect(pair.logs.some(({ message }) => message === "session ended")).toBe(false);
  await pair.close();
  await target.close();
});

async function shownAt(port: number): Promise<string | undefined> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  return fingerprint;
}

/** Whether a process can be given a hosts file of its own. */
function canMount(): boolean {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
    return true;
  } catch {
    console.info("changes: the target's name is skipped, no mount namespace can be made here");
    return false;
  }
}

// Needs a mount namespace, which not every machine lets one make.
test.skipIf(!canMount())("a name of the target that changes its address is followed", async () => {
  const hosts = join(folder, "hosts");
  const point = (address: string): void =>
    writeFileSync(hosts, `${address} target.nodepass.test\n`);
  const first = await listenAt("127.0.0.6", 0);
  const second = await listenAt("127.0.0.7", first.port);
  point("127.0.0.6");
  const server = await EndProcess.open("server://k-e-y@127.0.0.1:0/127.0.0.1:0?mode=1");
  const mount = `mount --bind ${hosts} /etc/hosts && exec "$@"`;
  const client = await EndProcess.open(
    `client://k-e-y@127.0.0.1:${server.tunnelPort}/target.nodepass.test:${first.port}?mode=2&dns=1s`,
    {},
    { wrapper: ["unshare", "-m", "sh", "-c", mount, "sh"] },
  );
  const entry = { host: "127.0.0.1", port: server.entryPort };
  await eventually(async () => expect(await ask(entry)).toBe("127.0.0.6"));
  point("127.0.0.7");
  await eventually(async () => expect(await ask(entry)).toBe("127.0.0.7"));
  await Promise.all([client.kill(), server.kill(), first.close(), second.close()]);
});

/** A target that says its address. */
async function listenAt(host: string, port: number) {
  const listener = createServer((socket) => {
    socket.on("error", () => socket.destroy()).end(host);
  });
  listener.listen(port, host);
  await once(listener, "listening");
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => new Promise((resolve) => listener.close(resolve)),
  };
}

async function ask(at: { readonly host: string; readonly port: number }): Promise<string> {
  const socket = connect(at);
  let text = "";
  socket.on("data", (bytes) => {
    text += String(bytes);
  });
  await once(socket, "close");
  return text;
}
