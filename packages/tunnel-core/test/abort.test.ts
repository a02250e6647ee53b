import { openTunnel, type Tunnel } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openSockets } from "./support/no-leaks.ts";
import { closedPort } from "./support/scripted-target.ts";

let port = 0;

beforeEach(async () => {
  port = await closedPort();
});

let before = 0;

beforeEach(() => {
  before = openSockets().length;
});

// Not more than before: what one test leaves open is not the next one's fault.
afterEach(async () => {
  const more = () => expect(openSockets().length).toBeLessThanOrEqual(before);
  await vi.waitFor(more, { timeout: 2_000, interval: 10 });
});

const SERVER = (): string => "server://k@127.0.0.1:0/127.0.0.1:0?mode=1";

describe("AbortSignal", () => {
  test("destroys the tunnel", async () => {
    const abort = new AbortController();
    const server = await openTunnel(SERVER(), { signal: abort.signal });
    abort.abort();
    expect(server.state).toBe("closed");
  });

  test("that is aborted already opens nothing", async () => {
    await expect(openTunnel(SERVER(), { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  test.each([
    ["server", SERVER],
    ["forward server", () => `server://k@127.0.0.1:0/127.0.0.1:${port}?mode=2`],
    ["server with tls", () => `${SERVER()}&tls=1`],
    ["client", () => `client://k@127.0.0.1:${port}/127.0.0.1:${port}?mode=2`],
    ["single end", () => `client://k@127.0.0.1:0/127.0.0.1:${port}?mode=1`],
  ])("that is aborted while a %s starts leaves nothing open", async (_name, urlOf) => {
    // At several moments of the start, which waits for a thread (scrypt) and for the system.
    for (let turns = 0; turns < 40; turns += 1 + (turns >> 1)) {
      const abort = new AbortController();
      const opening = openTunnel(urlOf(), { signal: abort.signal });
      // That it rejects is as good as a closed tunnel.
      const state = opening.then(
        (tunnel) => () => tunnel.state,
        () => () => "closed",
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      abort.abort();
      expect((await state)()).toBe("closed");
    }
  });
});

describe("options of a tunnel's methods", () => {
  /** What a program in JavaScript may give. */
  const wrong = <T>(value: unknown): T => value as T;

  test.each<[name: string, call: (tunnel: Tunnel) => Promise<unknown>, message: RegExp]>([
    ["close", (t) => t.close({ timeoutMs: -1 }), /^timeoutMs is -1 \(allowed: a number, 0 to /],
    ["close", (t) => t.close({ timeoutMs: Number.NaN }), /^timeoutMs is NaN/],
    ["close", (t) => t.close({ timeoutMs: 2 ** 31 }), /^timeoutMs is 2147483648/],
    ["close", (t) => t.close({ timeoutMs: wrong("5s") }), /^timeoutMs is "5s"/],
    [
      "close",
      (t) => t.close(wrong({ timeout: 5 })),
      /^timeout is no option \(allowed: timeoutMs\)$/,
    ],
    ["close", (t) => t.close(wrong(5)), /^options are 5 \(allowed: an object\)$/],
    ["close", (t) => t.close(wrong(null)), /^options are null/],
    [
      "ready",
      (t) => t.ready({ signal: wrong({}) }),
      /^signal is a object \(allowed: an AbortSignal\)$/,
    ],
    [
      "ready",
      (t) => t.ready({ failOnRefusal: wrong(1) }),
      /^failOnRefusal is 1 \(allowed: true or/,
    ],
    ["ready", (t) => t.ready(wrong("now")), /^options are "now"/],
    ["connect", (t) => t.connect({ signal: wrong(new AbortController()) }), /^signal is a object/],
    ["connect", (t) => t.connect(wrong({ timeoutMs: 5 })), /^timeoutMs is no option/],
  ])("%s refuses what it can't do (%#)", async (_name, call, message) => {
    const server = await openTunnel(SERVER());
    await expect(call(server)).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
      message: expect.stringMatching(message),
    });
    expect(server.state).toBe("running");
    await server.close({ timeoutMs: 0 });
    expect(server.state).toBe("closed");
  });

  test("are taken when they are left out, and a close is one however often it is asked for", async () => {
    const server = await openTunnel(SERVER());
    await server.ready({ signal: undefined, failOnRefusal: undefined });
    await Promise.all([server.close({ timeoutMs: undefined }), server.close({})]);
    await expect(server.close({ timeoutMs: wrong("x") })).rejects.toThrow(/timeoutMs/);
    expect(server.state).toBe("closed");
  });
});
