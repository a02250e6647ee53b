import { Lingerer, RelayBuffers } from "@nodepass/tunnel-core";
import { expect, test, vi } from "vitest";
// @boundaries-ignore a test's support, no part of a package
import { namespacesMissing, runInNamespace } from "../../tunnel-core/test/support/in-namespace.ts";
import { carrier } from "../src/index.ts";

const missing = namespacesMissing();
const skipped = missing === undefined ? "" : ` (skipped: no namespaces here: ${missing})`;

test.skipIf(missing !== undefined)(
  `both ends serve a link-local address, with its zone${skipped}`,
  { timeout: 60_000 },
  async () => {
    const setup = "ip addr add fe80::1/64 dev lo nodad";
    const program = new URL("./support/link-local.ts", import.meta.url).href;
    expect(await runInNamespace(program, setup)).toEqual({
      heard: "hello",
      address: "fe80::1%lo",
    });
  },
);

test("a dial that can't begin leaves no UDP port", async () => {
  const dialer = carrier.dial({
    ...{ address: "127.0.0.1", port: 9, proxy: undefined, path: "/", reportIntervalMs: 5000 },
    // No name that TLS could ask for.
    serverName: "",
    tls: { mode: 1, context: {} as never, ca: undefined, pin: undefined },
    ...{ buffers: new RelayBuffers(), lingerer: new Lingerer(), log: () => {} },
  });
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((kind) => /^UDP/.test(kind)).length;
  const before = sockets();
  const failed = await new Promise<Error>((resolve, reject) => {
    dialer.open({ onFailed: resolve, onStream: () => reject(new Error("a stream was opened")) });
  });
  expect(failed.message).toBe("TlsFail");
  await vi.waitFor(() => expect(sockets()).toBe(before));
  dialer.close();
});
