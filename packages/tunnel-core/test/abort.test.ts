import { openTunnel } from "@nodepass/tunnel-core";
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
