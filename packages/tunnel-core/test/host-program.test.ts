import { once } from "node:events";
import { inspect } from "node:util";
import { openTunnel, type Tunnel, TunnelError } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";

/** This file's own loopback address: its ports are nobody else's. */
const HOST = "127.31.7.1";
const opened: Tunnel[] = [];

afterEach(async () => {
  for (const tunnel of opened.splice(0)) await tunnel.close({ timeoutMs: 0 });
});

async function open(...given: Parameters<typeof openTunnel>): Promise<Tunnel> {
  const tunnel = await openTunnel(...given);
  opened.push(tunnel);
  return tunnel;
}

test("options that are wrong are refused before anything is opened", async () => {
  const limits = { reportIntervalMs: Number.NaN };
  const url = `server://k@${HOST}:4101/${HOST}:4102?mode=1`;
  await expect(open(url, { limits })).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  // Nothing listens there: it opens with good ones.
  await open(url);
});

test("an aborted ready() rejects with the reason of its signal, and the tunnel goes on", async () => {
  const tunnel = await open(`client://k@${HOST}:4111/${HOST}:4112?mode=2`);
  const controller = new AbortController();
  const reason = new Error("given up");
  const waiting = tunnel.ready({ signal: controller.signal });
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(tunnel.ready({ signal: controller.signal })).rejects.toBe(reason);
  expect(tunnel.state).not.toBe("closed");
});

test("state events and ready() carry the error with its code", async () => {
  await open(`server://right@${HOST}:4121/${HOST}:4122?mode=1`);
  const tunnel = await open(`client://wrong@${HOST}:4121/${HOST}:4123?mode=2`);
  const [state, reason, error] = await once(tunnel, "state");
  expect(state).toBe("error");
  expect(error).toBeInstanceOf(TunnelError);
  expect(error).toMatchObject({ code: "HANDSHAKE_REJECTED", message: reason });
  expect(tunnel.error).toMatchObject({ code: "HANDSHAKE_REJECTED" });
  await expect(tunnel.ready({ failOnRefusal: true })).rejects.toBe(tunnel.error);
});

test("without failOnRefusal ready() waits, and ends with CLOSED", async () => {
  await open(`server://right@${HOST}:4131/${HOST}:4132?mode=1`);
  const tunnel = await open(`client://wrong@${HOST}:4131/${HOST}:4133?mode=2`);
  await once(tunnel, "state");
  const waiting = tunnel.ready();
  const outcome = expect(waiting).rejects.toMatchObject({ code: "CLOSED" });
  await tunnel.close({ timeoutMs: 0 });
  await outcome;
});

test("nothing that shows a tunnel shows its key", async () => {
  const key = "a-key-that-nobody-sees";
  const server = await open(`server://${key}@${HOST}:4141/${HOST}:4142?mode=1`);
  const client = await open(`client://${key}@${HOST}:4141/${HOST}:4143?mode=2`);
  await client.ready();
  for (const tunnel of [server, client]) {
    for (const shown of [tunnel, { tunnel }, tunnel.settings, [tunnel.settings]]) {
      expect(inspect(shown, { depth: 12, showHidden: true })).not.toContain(key);
      // As `console.dir` shows it.
      expect(inspect(shown, { depth: 12, customInspect: false })).not.toContain(key);
      expect(JSON.stringify(shown)).not.toContain(key);
    }
    expect(inspect(tunnel)).toContain("running");
    // For a program that asks for it, it is there.
    expect(tunnel.settings.key).toBe(key);
    expect({ ...tunnel.settings }.key).toBe(key);
  }
});

test("importing leaves the globals as they were", async () => {
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  const source = new URL("../src/index.ts", import.meta.url).href;
  const script = `
    const before = [...Reflect.ownKeys(globalThis), ...Reflect.ownKeys(Reflect)].length;
    const { createSelfSignedCertificate } = await import(${JSON.stringify(source)});
    await createSelfSignedCertificate();
    const after = [...Reflect.ownKeys(globalThis), ...Reflect.ownKeys(Reflect)].length;
    console.log(after - before);`;
  const args = ["--experimental-strip-types", "--no-warnings", "--input-type=module", "-e", script];
  const flags = process.version.startsWith("v22.12") ? args : args.slice(1);
  const { stdout } = await promisify(execFile)(process.execPath, flags, {
    cwd: import.meta.dirname,
  });
  expect(stdout.trim()).toBe("0");
});
