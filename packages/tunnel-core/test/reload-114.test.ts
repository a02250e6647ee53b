import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { createSignalEncoder } from "../src/wire/signal-encoder.ts";
import { tunnelToken } from "../src/wire/tunnel-token.ts";
import { makeCertificate } from "./peer-114/index.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";

const open: { destroy(): void }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) one.destroy();
  await expectNoSockets();
});

/** A pool connection as a NodePass 1.14 client opens it: it waits for its id. */
async function poolConnection(port: number) {
  const raw: Socket = connect(port, "127.0.0.1");
  const socket = connectTls({ socket: raw, rejectUnauthorized: false });
  open.push(socket, raw);
  socket.on("error", () => {});
  const [id] = (await once(socket, "data")) as [Buffer];
  const fp = `sha256:${socket.getPeerCertificate().fingerprint256}`;
  return { socket, fp, id: id.toString("hex") };
}

test("a reloaded certificate is no mismatch for a connection that was given the old one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "reload-114-"));
  const write = async (): Promise<void> => {
    const { cert, key } = await makeCertificate();
    await writeFile(join(folder, "crt"), cert);
    await writeFile(join(folder, "key"), key);
  };
  try {
    await write();
    const files = `crt=${join(folder, "crt")}&key=${join(folder, "key")}`;
    const server = await openEnd(`server://secret@127.0.0.1:0/127.0.0.1:0?mode=1&tls=2&${files}`);
    open.push(server);
    const port = tunnelPort(server);
    const handshake = connect(port, "127.0.0.1").resume();
    const head = `GET / HTTP/1.1\r\nHost: none\r\nAuthorization: Bearer ${tunnelToken("secret")}`;
    handshake.write(`${head}\r\n\r\n`);
    await once(handshake, "end");
    const control = await poolConnection(port);
    // The server offers the first connection in a verify of its own.
    await poolConnection(port);
    const old = await poolConnection(port);
    await write();
    await eventually(async () => expect((await poolConnection(port)).fp).not.toBe(old.fp));
    const closed = once(old.socket, "close");
    control.socket.write(
      createSignalEncoder("secret")({ action: "verify", id: old.id, fp: old.fp }),
    );
    // Compared, a connection is closed; a mismatch would have ended the session with it.
    old.socket.resume();
    await closed;
    expect(control.socket.destroyed).toBe(false);
    expect(server.state).toBe("running");
  } finally {
    await rm(folder, { recursive: true });
  }
});
